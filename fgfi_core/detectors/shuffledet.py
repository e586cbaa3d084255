"""`shuffledet-*`: the paper's toy detector for KITTI, one map at stride 16 and one convolution on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fgfi_core.detectors.anchors import Shapes, grid, scale_shapes
from fgfi_core.detectors.boxes import clip, decode, pad_targets
from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.normalisation import Normalisation
from fgfi_core.detectors.selection import Selection
from fgfi_core.detectors.shared_draws import dropout
from fgfi_core.detectors.shuffledet_losses import shuffledet_losses
from fgfi_core.detectors.shufflenetv1 import HALVINGS, backbone, halved


@dataclass(frozen=True)
class Widths:
    """Channels of the stem, of the three groups, and of the last unit, which is the imitated map."""

    stem: int
    groups: tuple[int, int, int]
    last: int


WIDTHS = {
    "shuffledet-1x": Widths(16, (240, 480, 960), 768),
    "shuffledet-0.5x": Widths(24, (120, 240, 480), 384),
    "shuffledet-0.25x": Widths(24, (60, 120, 240), 192),
}
REFERENCE_SIZE = (1248, 384)
DEFAULT_SHAPES = ((36, 37), (366, 174), (115, 59), (162, 87), (38, 90), (258, 173), (224, 108), (78, 170), (72, 43))
SELECTION = Selection(score_threshold=0.0, candidates=64, nms_iou=0.4, per_class=50)

_DROPPED = 0.5
_HEAD_DEVIATION = 1e-4
# Beyond this log of a size ratio the exponential goes on as its tangent, so that no early step overflows.
_LINEAR_FROM = 1.0


def build(name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> Detector:
    """One of the family, with fresh weights."""
    return ShuffleDet(name, num_classes, image_size, anchor_shapes, WIDTHS[name])


class ShuffleDet(Detector):
    """A ShuffleNet v1 backbone and one 3x3 convolution: per cell K x C class logits, K confidences, K x 4 deltas."""

    selection = SELECTION
    _anchors: Tensor

    def __init__(
        self, name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None, widths: Widths
    ) -> None:
        super().__init__()
        self.name, self.num_classes, self.image_size = name, num_classes, image_size
        self.anchor_shapes = tuple(anchor_shapes or scale_shapes(DEFAULT_SHAPES, REFERENCE_SIZE, image_size))
        self.normalisation = Normalisation()
        self.backbone = backbone(widths.stem, widths.groups, widths.last, image_size)
        self.head = nn.Conv2d(widths.last, len(self.anchor_shapes) * (num_classes + 5), 3, padding=1)
        nn.init.trunc_normal_(self.head.weight, std=_HEAD_DEVIATION, a=-2 * _HEAD_DEVIATION, b=2 * _HEAD_DEVIATION)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]  # A Conv2d built with a bias has one.
        cells = image_size
        for _ in range(HALVINGS):
            cells = halved(cells)
        self.register_buffer("_anchors", grid(self.anchor_shapes, image_size, cells, inset=True), persistent=False)

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """[B, 3, H, W] to one map [B, C, ceil(H / 16), ceil(W / 16)], before dropout."""
        return (self.backbone(self.normalisation(images)),)

    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Outputs:
        """logits: [B, A, num_classes]. confidence: [B, A], before the sigmoid. deltas: [B, A, 4]."""
        del targets  # One stage learns from every anchor.
        (features,) = maps
        raw = self.head(dropout(features, _DROPPED, training=self.training)).permute(0, 2, 3, 1)
        count = len(self.anchor_shapes)
        logits, confidence, deltas = raw.split((count * self.num_classes, count, count * 4), dim=3)
        # The number of anchors is fixed, so that images of another size fail here and never meet the wrong anchors.
        batch, anchors = raw.shape[0], self._flat_anchors.shape[0]
        return {
            "logits": logits.reshape(batch, anchors, self.num_classes),
            "confidence": confidence.reshape(batch, anchors),
            "deltas": deltas.reshape(batch, anchors, 4),
        }

    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`class`, `confidence` and `box`, see `shuffledet_losses`."""
        boxes, labels, real = pad_targets(targets, outputs["logits"].device)
        with torch.no_grad():
            decoded = self._boxes(outputs["deltas"])
        return shuffledet_losses(
            outputs["logits"],
            outputs["confidence"],
            outputs["deltas"],
            decoded=decoded,
            anchors=self._flat_anchors,
            boxes=boxes,
            labels=labels,
            real=real,
        )

    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """boxes [B, A, 4] and scores [B, A, num_classes]: the best class has its probability x confidence, others 0."""
        probability = outputs["logits"].float().softmax(dim=-1)
        best = probability.argmax(dim=-1, keepdim=True) == torch.arange(self.num_classes, device=probability.device)
        scores = probability * best * outputs["confidence"].float().sigmoid()[..., None]
        return self._boxes(outputs["deltas"]), scores

    def class_logits(self, outputs: Outputs) -> Tensor:
        """Every anchor's; there is no background class."""
        return outputs["logits"].flatten(0, 1)

    def anchors(self) -> tuple[Tensor, ...]:
        """One [H, W, K, 4]."""
        return (self._anchors,)

    def weight_decay_parameters(self) -> set[str]:
        """The head's weight alone."""
        return {"head.weight"}

    @property
    def _flat_anchors(self) -> Tensor:
        return self._anchors.flatten(0, 2)

    def _boxes(self, deltas: Tensor) -> Tensor:
        return clip(decode(deltas.float(), self._flat_anchors, linear_from=_LINEAR_FROM), self.image_size)
