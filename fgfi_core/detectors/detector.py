"""What every detector offers to training, imitation, evaluation and export."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn


class Target(NamedTuple):
    """Ground truth of one image at the network's input size.

    boxes: [G, 4] float32 xyxy pixels of the input. labels: [G] int64 in [0, num_classes), no background class.
    """

    boxes: Tensor
    labels: Tensor


class Detections(NamedTuple):
    """What a detector found in one image, best first. boxes: [N, 4] xyxy pixels of the input; scores, labels: [N]."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor


class Detector(nn.Module, ABC):
    """A detector as its imitated maps, and heads on top of them.

    Images are `[B, 3, H, W] float32`, RGB in [0, 1]; each detector normalises inside `features`, so that an exported
    file needs no recipe beside it. `image_size` is (width, height).
    """

    name: str
    num_classes: int
    image_size: tuple[int, int]

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
    def select(self, boxes: Tensor, scores: Tensor) -> Detections:
        """Score threshold, per-class NMS and the limit on detections, for one image: [A, 4] and [A, num_classes]."""

    @abstractmethod
    def weight_decay_parameters(self) -> set[str]:
        """Names of the parameters that weight decay applies to, by the detector's recipe."""

    def channels(self) -> tuple[int, ...]:
        """Channels of each imitated map."""
        from fgfi_core.spec import DETECTORS

        return DETECTORS[self.name].channels

    def detect(self, images: Tensor) -> list[Detections]:
        """Detections of a batch; call in eval mode under no_grad."""
        boxes, scores = self.decode(self.heads(self.features(images)))
        return [self.select(b, s) for b, s in zip(boxes, scores, strict=True)]
