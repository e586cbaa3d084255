"""What is known of a detector before it is built."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class DetectorInfo:
    """One entry of the catalogue.

    parameters: trainable parameters with 3 classes, batch-norm scale and shift included, running statistics not.
    multiply_adds: of the backbone at `reference_size`, in units, without the head.
    reference_size: (width, height) in pixels.
    strides, channels: of each imitated map, finest first.
    anchor_shapes: shapes per cell that are fitted to the boxes of the data; 0 where the scales are the family's own.
    classification: what the class outputs are per: `anchors` with a softmax or a sigmoid, or `regions` with a softmax.
    imagenet: name of the ImageNet weights of its backbone, empty where there are none.
    weights_licence: licence of those weights.
    """

    name: str
    family: str
    parameters: int
    multiply_adds: int
    reference_size: tuple[int, int]
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    anchor_shapes: int
    classification: Literal["anchors-softmax", "anchors-sigmoid", "regions-softmax"]
    description: str
    imagenet: str = ""
    weights_licence: str = ""
