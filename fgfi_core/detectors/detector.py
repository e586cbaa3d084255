"""What every detector offers to training, imitation, evaluation and export."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from torch import Tensor, nn

from fgfi_core.data.frame import Frame, Resize
from fgfi_core.detectors.selection import Detections, Selection
from fgfi_core.errors import BadSpec
from fgfi_core.spec.catalogue import DETECTORS, DetectorInfo

__all__ = ["Detections", "Detector", "Outputs", "Selection", "Target"]

Outputs = Mapping[str, Tensor]


class Target(NamedTuple):
    """Ground truth of one image at the network's input size.

    boxes: [G, 4] float32 xyxy pixels of the input. labels: [G] int64 in [0, num_classes), no background class.
    """

    boxes: Tensor
    labels: Tensor


class Detector(nn.Module, ABC):
    """A detector as its imitated maps, and heads on top of them.

    Images are `[B, 3, H, W] float32`, RGB in [0, 1]; each detector normalises inside `features`, so that an exported
    file needs no recipe beside it. `image_size` is (width, height), and `resize` says how images come to it. With
    `name`, `num_classes`, both of these and `anchor_shapes` (each (w, h) in pixels of the input; empty where the scales
    are the family's own) `create` builds the same detector again; anchors are not part of the state dict. `selection`
    is how `select` turns scored boxes into detections.

    frozen: beginnings of the names of parameters that stay as ImageNet made them. freezes_norms: whether batch norms
    do, too.
    """

    name: str
    num_classes: int
    image_size: tuple[int, int]
    anchor_shapes: tuple[tuple[float, float], ...]
    selection: Selection
    resize: Resize = "stretch"
    frozen: tuple[str, ...] = ()
    freezes_norms: bool = False

    _fixed_norms: tuple[nn.Module, ...] = ()

    @abstractmethod
    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """The imitated maps, finest first, each [B, C_l, H_l, W_l]; nothing after the last of them is computed."""

    @abstractmethod
    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Outputs:
        """Raw outputs of the heads, by name; shapes are the detector's own.

        targets: in training, for detectors whose second stage learns from regions sampled around them.
        """

    @abstractmethod
    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Scalar loss terms by name; their sum is the detection loss. outputs: of `heads(maps, targets)`."""

    @abstractmethod
    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """boxes [B, A, 4] xyxy pixels, clipped to the input, and scores [B, A, num_classes] in [0, 1], before NMS.

        outputs: of `heads(maps)`.
        """

    @abstractmethod
    def anchors(self) -> tuple[Tensor, ...]:
        """The anchors of each imitated map, [H_l, W_l, K_l, 4] xyxy pixels, those crossing the border included."""

    @abstractmethod
    def weight_decay_parameters(self) -> set[str]:
        """Names of the parameters that weight decay applies to, by the detector's recipe."""

    @abstractmethod
    def class_logits(self, outputs: Outputs) -> Tensor:
        """Class logits [N, K] of all slots (anchors or sampled regions) of `heads(maps, targets)`, for soft labels.

        K counts the background where the detector has one; `info.classification` says what they mean.
        """

    def class_logits_like(self, maps: Sequence[Tensor], outputs: Outputs, scale: tuple[float, float]) -> Tensor:
        """This detector's class logits [N, K] for the slots that another detector's `outputs` are about.

        scale: (x, y) from pixels of the other's input to this one's; matters where slots are regions.
        """
        del outputs, scale
        return self.class_logits(self.heads(maps))

    def imagenet_weights(self) -> Mapping[str, Tensor]:
        """ImageNet weights of the backbone, under this detector's names. Raises BadSpec when there are none."""
        raise BadSpec(
            f"there are no ImageNet weights for '{self.name}'.", hint="Use init 'random', 'teacher-slice' or 'file'."
        )

    def freeze(self) -> None:
        """Fix what the recipe leaves as ImageNet made it: `frozen` layers, and batch norms where it says so."""
        for name, parameter in self.named_parameters():
            if self.frozen and name.startswith(self.frozen):
                parameter.requires_grad = False
        if self.freezes_norms:
            self._fixed_norms = tuple(m for m in self.modules() if isinstance(m, nn.BatchNorm2d))
            for norm in self._fixed_norms:
                norm.requires_grad_(requires_grad=False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As every module's, but frozen norms keep their statistics."""
        super().train(mode)
        for norm in self._fixed_norms:
            norm.eval()
        return self

    @property
    def info(self) -> DetectorInfo:
        """Its entry in the catalogue."""
        return DETECTORS[self.name]

    @property
    def frame(self) -> Frame:
        """Its input, in which images lie."""
        return Frame(self.image_size, self.resize)

    def channels(self) -> tuple[int, ...]:
        """Channels of each imitated map."""
        return self.info.channels

    def select(self, boxes: Tensor, scores: Tensor) -> Detections:
        """Score threshold, per-class NMS and the limit on detections, for one image: [A, 4] and [A, num_classes]."""
        return self.selection(boxes, scores)

    def detect(self, images: Tensor) -> list[Detections]:
        """Detections of a batch; call in eval mode under no_grad."""
        boxes, scores = self.decode(self.heads(self.features(images)))
        return [self.select(b, s) for b, s in zip(boxes, scores, strict=True)]
