"""First weights of a detector: ImageNet's, a file's, or the leading channels of its teacher's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fgfi_core.detectors import Detector, create
from fgfi_core.detectors.fit import fit
from fgfi_core.errors import BadData, BadSpec

SHOWN = 5


def from_imagenet(detector: Detector) -> None:
    """Load its backbone's ImageNet weights and freeze what its recipe freezes.

    Raises BadSpec when there are none, WeightsUnavailable when they cannot be had.
    """
    weights = detector.imagenet_weights()
    unknown = detector.load_state_dict(dict(weights), strict=False).unexpected_keys
    if unknown:
        raise RuntimeError(f"{detector.name}: ImageNet weights name tensors it does not have: {unknown[:SHOWN]}")
    detector.freeze()


def from_file(detector: Detector, path: Path, *, complete: bool) -> tuple[str, ...]:
    """Load a safetensors file under the detector's names, or torchvision's of any age; freeze as ImageNet's would be.

    Tensors that depend on the number of classes may differ from the file's and then stay as drawn, unless `complete`;
    their names are returned. Raises BadData that lists what is missing, unknown or of another shape.
    """
    tensors = _read(path)
    own = detector.state_dict()
    found = fit(detector, {name: tensor.shape for name, tensor in tensors.items()})
    differing = {*found.missing, *(found.names[name] for name in found.wrong_shape)}
    wrong = [name for name in own if name in differing]
    tensors = {found.names[name]: tensor for name, tensor in tensors.items()}
    spare = set() if complete or not wrong else _class_dependent(detector)
    faults = [f"'{name}' {_difference(own[name], tensors.get(name))}" for name in wrong if name not in spare]
    faults += [f"'{name}' is not one of its tensors" for name in tensors if name not in own]
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise BadData(
            f"{path.name} does not fit '{detector.name}': {'; '.join(faults[:SHOWN])}{more}.",
            hint="Give the file of a detector of that name, written by this project or by torchvision's model.",
        )
    detector.load_state_dict({name: t for name, t in tensors.items() if name not in wrong}, strict=False)
    detector.freeze()
    return tuple(wrong)


def from_teacher(detector: Detector, teacher: Detector) -> float:
    """Copy the leading channels of every tensor that the teacher has at least as large; the share of values copied.

    The paper's "directly pruned model" (table 1). Raises BadSpec when nothing fits.
    """
    theirs = teacher.state_dict()
    copied = total = 0
    with torch.no_grad():
        for name, tensor in detector.state_dict().items():
            total += tensor.numel()
            source = theirs.get(name)
            if source is None or not _holds(source.shape, tensor.shape):
                continue
            tensor.copy_(source[tuple(slice(side) for side in tensor.shape)])
            copied += tensor.numel()
    if not copied:
        raise BadSpec(f"no tensor of '{detector.name}' can be cut out of '{teacher.name}'.", hint="Use init 'random'.")
    return copied / total


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadData(f"{path} cannot be read as safetensors: {error}.", hint="Give a .safetensors file.") from error


def _class_dependent(detector: Detector) -> set[str]:
    """Tensors whose shape follows the number of classes."""
    with torch.random.fork_rng(devices=[]):
        other = create(
            detector.name,
            detector.num_classes + 1,
            detector.image_size,
            anchor_shapes=detector.anchor_shapes,
        ).state_dict()
    return {name for name, tensor in detector.state_dict().items() if other[name].shape != tensor.shape}


def _difference(wanted: Tensor, found: Tensor | None) -> str:
    if found is None:
        return "is missing"
    return f"is {list(found.shape)} and should be {list(wanted.shape)}"


def _holds(source: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(source) == len(wanted) and all(s >= w for s, w in zip(source, wanted, strict=True))
