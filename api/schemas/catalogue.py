"""The catalogue: detectors and methods."""

from typing import Any

from pydantic import BaseModel


class DetectorOut(BaseModel):
    """A detector that a spec may name. Sizes are (width, height) in pixels; one entry a map, finest first.

    anchor_shapes: shapes per cell that are fitted to the data, 0 where the scales are the family's own. classification:
    what the class outputs are per; soft labels need the same on both sides. imagenet, weights_licence: of the weights
    that `init: imagenet` takes, empty where there are none.
    """

    name: str
    family: str
    parameters: int
    multiply_adds: int
    reference_size: tuple[int, int]
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    anchor_shapes: int
    classification: str
    imagenet: str
    weights_licence: str
    description: str


class DetectorsOut(BaseModel):
    """The catalogue of detectors."""

    data: list[DetectorOut]


class MethodOut(BaseModel):
    """A distillation method: the JSON schema of its fields in a spec.

    compares_classes: it needs two detectors of the same `classification`.
    """

    name: str
    description: str
    fields: dict[str, Any]
    compares_classes: bool


class MethodsOut(BaseModel):
    """The distillation methods."""

    data: list[MethodOut]
