"""The student as `student.safetensors` and `student.json`: weights without code, and what is needed to use them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self, get_args

import torch
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from fgfi_core.atomic import replacing, write_text
from fgfi_core.data.frame import Resize
from fgfi_core.detectors import Detector, create
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.spec import DETECTORS

WEIGHTS = "student.safetensors"
DESCRIPTION = "student.json"

HINT = "Export it again, or restore the file."


ResizeWords = Literal[
    "bilinear, antialiased, to image_size whatever the aspect ratio",
    "bilinear, antialiased, aspect ratio kept, upper left in image_size; the rest is RGB 124 116 104 of 255",
]
RESIZES: Mapping[Resize, ResizeWords] = dict(zip(get_args(Resize), get_args(ResizeWords), strict=True))


class Input(BaseModel):
    """What the detector wants to be fed; it normalises inside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: Literal["NCHW"] = "NCHW"
    dtype: Literal["float32"] = "float32"
    color: Literal["RGB"] = "RGB"
    range: tuple[float, float] = (0.0, 1.0)
    resize: ResizeWords = "bilinear, antialiased, to image_size whatever the aspect ratio"


class Description(BaseModel):
    """`student.json`. image_size: (width, height) in pixels; anchor_shapes: (width, height) at that size."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["fgfi-student"] = "fgfi-student"
    version: Literal[1] = 1
    detector: str
    num_classes: int
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    anchor_shapes: tuple[tuple[float, float], ...]
    input: Input = Input()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len(self.classes) != self.num_classes:
            raise ValueError(f"num_classes is {self.num_classes}, but classes lists {len(self.classes)}")
        if not self.anchor_shapes and self.detector in DETECTORS and DETECTORS[self.detector].anchor_shapes:
            raise ValueError(f"anchor_shapes is empty, but '{self.detector}' has fitted shapes")
        return self


def write(detector: Detector, classes: Sequence[str], folder: Path) -> tuple[Path, Path]:
    """Write both files into `folder` and return (weights, description). `classes`: names, in order of the labels."""
    description = Description(
        detector=detector.name,
        num_classes=detector.num_classes,
        classes=tuple(classes),
        image_size=detector.image_size,
        anchor_shapes=detector.anchor_shapes,
        input=Input(resize=RESIZES[detector.resize]),
    )
    weights, text = folder / WEIGHTS, folder / DESCRIPTION
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in detector.state_dict().items()}
    # What a later job needs to begin with these weights; the file may travel without its description.
    told = {"format", "version", "detector", "classes", "image_size", "anchor_shapes"}
    facts = {**description.model_dump(mode="json", include=told), "resize": detector.resize}
    with replacing(weights) as draft:
        save_file(tensors, draft, metadata={name: _text(fact) for name, fact in facts.items()})
    write_text(text, description.model_dump_json(indent=2) + "\n")
    return weights, text


def read(folder: Path) -> tuple[Detector, tuple[str, ...]]:
    """Build the detector of `folder` on the CPU, in eval mode, with its classes.

    Raises BadData naming the file, and the tensor where it is about one.
    """
    description = _description(folder / DESCRIPTION)
    weights = folder / WEIGHTS
    try:
        tensors = load_file(weights)
    except (OSError, SafetensorError) as error:
        raise BadData(f"{weights} cannot be read as safetensors: {error}.", hint=HINT) from error
    # A detector draws fresh weights, and reading a file must not move the caller's random numbers.
    with torch.random.fork_rng(devices=[]):
        detector = _build(description, folder / DESCRIPTION)
    _check(tensors, detector.state_dict(), weights)
    detector.load_state_dict(tensors)
    return detector.eval(), description.classes


class AnchorShapes(NamedTuple):
    """Shapes (width, height) in pixels of an input of `image_size` (width, height)."""

    shapes: tuple[tuple[float, float], ...]
    image_size: tuple[int, int]


def anchor_shapes(weights: Path) -> AnchorShapes | None:
    """The anchor shapes that a file of weights belongs to; None when it does not say, or has none.

    Raises BadData when it is no safetensors file.
    """
    try:
        with safe_open(weights, framework="pt") as file:
            facts = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise BadData(f"{weights} cannot be read as safetensors: {error}.", hint=HINT) from error
    try:
        shapes = tuple((float(w), float(h)) for w, h in json.loads(facts["anchor_shapes"]))
        width, height = json.loads(facts["image_size"])
    except (KeyError, ValueError, TypeError):
        return None
    return AnchorShapes(shapes, (int(width), int(height))) if shapes else None


def _description(path: Path) -> Description:
    try:
        return Description.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error.strerror}.", hint=HINT) from error
    except (UnicodeDecodeError, ValidationError) as error:
        raise BadData(f"{path} does not describe a student: {error}", hint=HINT) from error


def _build(description: Description, path: Path) -> Detector:
    try:
        return create(
            description.detector,
            description.num_classes,
            description.image_size,
            anchor_shapes=description.anchor_shapes,
            resize=next(name for name, words in RESIZES.items() if words == description.input.resize),
        )
    except BadSpec as error:
        raise BadData(f"{path}: {error.message}", hint=error.hint) from error


def _check(got: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in wanted.items():
        if name not in got:
            raise BadData(f"{path} lacks the tensor '{name}'.", hint=HINT)
        if got[name].shape != tensor.shape or got[name].dtype != tensor.dtype:
            raise BadData(
                f"{path}: tensor '{name}' is {_kind(got[name])}, the detector's is {_kind(tensor)}.", hint=HINT
            )
    for name in got:
        if name not in wanted:
            raise BadData(f"{path} has a tensor '{name}' that the detector does not have.", hint=HINT)


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _text(fact: object) -> str:
    return fact if isinstance(fact, str) else json.dumps(fact)
