"""What every detector offers to training, imitation, evaluation and export."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from fgfi_core.detectors.selection import Detections, Selection
from fgfi_core.spec.names import DETECTORS

__all__ = ["Detections", "Detector", "Selection", "Target"]


class Target(NamedTuple):
    """Ground truth of one image at the network's input size.

    boxes: [G, 4] float32 xyxy pixels of the input. labels: [G] int64 in [0, num_classes), no background class.
    """

    boxes: Tensor
    labels: Tensor


class Detector(nn.Module, ABC):
    """A detector as its imitated maps, and heads on top of them.

    Images are `[B, 3, H, W] float32`, RGB in [0, 1]; each detector normalises inside `features`, so that an exported
    file needs no recipe beside it. `image_size` is (width, height). With `name`, `num_classes`, `image_size` and
    `anchor_shapes` (each (w, h) in pixels of the input) `create` builds the same detector again; anchors are not part
    of the state dict. `selection` is how `select` turns scored boxes into detections.
    """

    name: str
    num_classes: int
    image_size: tuple[int, int]
    anchor_shapes: tuple[tuple[float, float], ...]
    selection: Selection

    @abstractmethod
    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """The imitated maps, finest first, each [B, C_l, H_l, W_l]; nothing after the last of them is computed."""

    @abstractmethod
    def heads(self, maps: Sequence[Tensor]) -> Mapping[str, Tensor]:
        """Raw outputs of the heads, by name; shapes are the detector's own."""

    @abstractmethod
    def losses(self, outputs: Mapping[str, Tensor], targets: Sequence[Target]) -> dict[str, Tensor]:
        """Scalar loss terms by name; their sum is the detection loss."""

    @abstractmethod
    def decode(self, outputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """boxes [B, A, 4] xyxy pixels, clipped to the input, and scores [B, A, num_classes] in [0, 1], before NMS."""

    @abstractmethod
    def anchors(self) -> tuple[Tensor, ...]:
        """The anchors of each imitated map, [H_l, W_l, K_l, 4] xyxy pixels, those crossing the border included."""

    @abstractmethod
    def weight_decay_parameters(self) -> set[str]:
        """Names of the parameters that weight decay applies to, by the detector's recipe."""

    def channels(self) -> tuple[int, ...]:
        """Channels of each imitated map."""
        return DETECTORS[self.name].channels

    def select(self, boxes: Tensor, scores: Tensor) -> Detections:
        """Score threshold, per-class NMS and the limit on detections, for one image: [A, 4] and [A, num_classes]."""
        return self.selection(boxes, scores)

    def detect(self, images: Tensor) -> list[Detections]:
        """Detections of a batch; call in eval mode under no_grad."""
        boxes, scores = self.decode(self.heads(self.features(images)))
        return [self.select(b, s) for b, s in zip(boxes, scores, strict=True)]
