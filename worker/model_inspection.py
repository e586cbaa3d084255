"""Looks at a model's weights in a process of its own: `python -m worker.model_inspection FOLDER`.

FOLDER holds `asked.json` and `weights.safetensors`, or `checkpoint.pt` from which that is made first; it gets
`found.json`. Exit code 0 unless the inspection itself broke. No credentials, no network, no code out of a file.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from fgfi_core.detectors import Detector

ASKED, ANSWER, WEIGHTS, CHECKPOINT = "asked.json", "found.json", "weights.safetensors", "checkpoint.pt"
# As many as a report can be read with; the counts are whole.
LISTED = 1000


class Asked(BaseModel):
    """The declared architecture. image_size: (width, height) in pixels. resize: of the training that is taken out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detector: str
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    anchor_shapes: tuple[tuple[float, float], ...]
    resize: Literal["stretch", "fit"] = "stretch"


class OtherShape(BaseModel):
    """A tensor whose shape is not the detector's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    found: tuple[int, ...]
    expected: tuple[int, ...]


class Found(BaseModel):
    """What the weights are, and every tensor that differs. Names are the file's, or the detector's for missing ones.

    not_finite: tensors with an infinity or no number among their values. error: why nothing could be compared.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tensors: int = 0
    parameters: int = 0
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong_shape: tuple[OtherShape, ...] = ()
    not_finite: tuple[str, ...] = ()
    differences: int = 0
    error: dict[str, str] | None = None

    @property
    def fits(self) -> bool:
        """Whether a detector can begin with them as they are."""
        return self.error is None and not self.differences

    @property
    def summary(self) -> str:
        """How many tensors differ, and the first of each kind."""
        shapes = [f"{one.name} is {list(one.found)} and should be {list(one.expected)}" for one in self.wrong_shape]
        kinds = (
            ("missing", self.missing),
            ("of another shape", shapes),
            ("unexpected", self.unexpected),
            ("not finite", self.not_finite),
        )
        return "; ".join(f"{len(names)} {kind} (such as {names[0]})" for kind, names in kinds if names)


def inspect(folder: Path) -> Found:
    """Compare the weights in `folder` with the detector that was asked for."""
    # Only this process loads torch: the worker imports this module for its names.
    from fgfi_core.detectors import create  # noqa: PLC0415
    from fgfi_core.errors import JobError  # noqa: PLC0415

    asked = Asked.model_validate_json((folder / ASKED).read_bytes())
    try:
        detector = create(
            asked.detector,
            len(asked.classes),
            asked.image_size,
            anchor_shapes=asked.anchor_shapes or None,
            resize=asked.resize,
        )
    except JobError as error:
        return _refused(error.code, error.message, error.hint)
    if (folder / CHECKPOINT).exists():
        _take_out(folder, detector, asked.classes)
    return _compare(folder / WEIGHTS, detector)


def _take_out(folder: Path, detector: "Detector", classes: tuple[str, ...]) -> None:
    """Write the best weights of a finished training as our own export does."""
    import torch  # noqa: PLC0415 - as above

    from fgfi_core.export import safetensors  # noqa: PLC0415
    from fgfi_core.training.task import Trained  # noqa: PLC0415

    # Its sha256 was verified; weights_only, since no file that was stored may run code.
    state: dict[str, Any] = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    detector.load_state_dict(Trained.from_state(state).weights)
    weights, _ = safetensors.write(detector, classes, folder)
    weights.replace(folder / WEIGHTS)


def _compare(file: Path, detector: "Detector") -> Found:
    import torch  # noqa: PLC0415 - as above
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    from fgfi_core.detectors.fit import fit  # noqa: PLC0415

    try:
        with safe_open(file, framework="pt") as opened:
            names = list(opened.keys())
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in names}
            sick = [name for name in names if not bool(torch.isfinite(opened.get_tensor(name)).all())]
    except (OSError, SafetensorError) as error:
        return _refused("bad_model_file", f"the file cannot be read as safetensors: {error}", "Send the whole file.")
    found = fit(detector, shapes)
    wrong = [OtherShape(name=name, found=shapes[name], expected=size) for name, size in found.wrong_shape.items()]
    return Found(
        tensors=len(names),
        parameters=sum(torch.Size(shape).numel() for shape in shapes.values()),
        missing=found.missing[:LISTED],
        unexpected=found.unexpected[:LISTED],
        wrong_shape=tuple(wrong[:LISTED]),
        not_finite=tuple(sick[:LISTED]),
        differences=len(found.missing) + len(found.unexpected) + len(wrong) + len(sick),
    )


def _refused(code: str, message: str, hint: str) -> Found:
    return Found(error={"code": code, "message": message, "hint": hint})


def main() -> None:
    """Do what the command line says."""
    folder = Path(sys.argv[1])
    (folder / ANSWER).write_text(inspect(folder).model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
