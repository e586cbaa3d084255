"""`ssd-shufflenetv2-*`: a light single-shot detector with one map at stride 16, for small machines and small images.

SSD (Liu et al., ECCV 2016) on a ShuffleNetV2 trunk, or on another one (`ssd_efficientnet`). One map keeps imitation in
its plainest form, a teacher's and a student's map of the same grid; stride 16 because at 32 small objects are lost.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from fgfi_core.detectors.anchors import Shapes, grid, scale_shapes
from fgfi_core.detectors.boxes import clip, decode, pad_targets
from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.normalisation import Normalisation
from fgfi_core.detectors.selection import Selection
from fgfi_core.detectors.shufflenetv2 import Trunk
from fgfi_core.detectors.ssd_losses import DELTA_WEIGHTS, ssd_losses

TRUNKS = {
    "ssd-shufflenetv2-1x": Trunk(24, ((116, 4), (232, 8))),
    "ssd-shufflenetv2-0.5x": Trunk(24, ((48, 4), (96, 8))),
    "ssd-shufflenetv2-0.25x": Trunk(24, ((24, 4), (48, 8))),
}
STRIDE = 16
REFERENCE_SIZE = (320, 240)
# Three scales by three ratios, for when no data set's own shapes are given.
DEFAULT_SHAPES = tuple(
    (round(side * ratio**0.5, 1), round(side / ratio**0.5, 1)) for side in (28, 64, 128) for ratio in (0.5, 1.0, 2.0)
)
SELECTION = Selection(score_threshold=0.01, candidates_per_class=200, nms_iou=0.45, per_image=100)


def build(name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> Detector:
    """One of the family, with fresh weights."""
    trunk = TRUNKS[name]
    return SSD(name, num_classes, image_size, anchor_shapes, trunk.build(), trunk.channels, Normalisation())


class SSD(Detector):
    """A trunk, two 3x3 convolutions on its last map, and K anchors a cell. Class 0 of the logits is background.

    trunk: normalised images [B, 3, H, W] to [B, channels, ceil(H / 16), ceil(W / 16)].
    """

    selection = SELECTION
    _anchors: Tensor

    def __init__(
        self,
        name: str,
        num_classes: int,
        image_size: tuple[int, int],
        anchor_shapes: Shapes | None,
        trunk: nn.Module,
        channels: int,
        normalisation: Normalisation,
    ) -> None:
        super().__init__()
        self.name, self.num_classes, self.image_size = name, num_classes, image_size
        self.anchor_shapes = tuple(anchor_shapes or scale_shapes(DEFAULT_SHAPES, REFERENCE_SIZE, image_size))
        self.normalisation = normalisation
        self.trunk = trunk
        shapes = len(self.anchor_shapes)
        self.class_head = nn.Conv2d(channels, shapes * (num_classes + 1), 3, padding=1)
        self.box_head = nn.Conv2d(channels, shapes * 4, 3, padding=1)
        for head in (self.class_head, self.box_head):
            nn.init.xavier_uniform_(head.weight)
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]  # A Conv2d built with a bias has one.
        width, height = (-(-size // STRIDE) for size in image_size)
        self.register_buffer("_anchors", grid(self.anchor_shapes, image_size, (width, height)), persistent=False)

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """[B, 3, H, W] to one map [B, C, ceil(H / 16), ceil(W / 16)]."""
        return (self.trunk(self.normalisation(images)),)

    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Outputs:
        """logits: [B, A, 1 + num_classes], background first. deltas: [B, A, 4], in `DELTA_WEIGHTS` units."""
        del targets  # One stage learns from every anchor.
        (features,) = maps
        return {
            "logits": self._per_anchor(self.class_head(features), self.num_classes + 1),
            "deltas": self._per_anchor(self.box_head(features), 4),
        }

    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`class` and `box`, see `ssd_losses`."""
        boxes, labels, real = pad_targets(targets, outputs["logits"].device)
        return ssd_losses(
            outputs["logits"], outputs["deltas"], anchors=self._flat_anchors, boxes=boxes, labels=labels, real=real
        )

    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """boxes [B, A, 4] and scores [B, A, num_classes], softmax with the background left out."""
        deltas = outputs["deltas"].float()
        boxes = decode(deltas / deltas.new_tensor(DELTA_WEIGHTS), self._flat_anchors)
        return clip(boxes, self.image_size), outputs["logits"].float().softmax(dim=-1)[..., 1:]

    def class_logits(self, outputs: Outputs) -> Tensor:
        """Every anchor's, background first."""
        return outputs["logits"].flatten(0, 1)

    def anchors(self) -> tuple[Tensor, ...]:
        """One [H, W, K, 4]."""
        return (self._anchors,)

    def weight_decay_parameters(self) -> set[str]:
        """Every convolution's weight; no bias, no batch norm."""
        return {name for name, parameter in self.named_parameters() if parameter.ndim > 1}

    @property
    def _flat_anchors(self) -> Tensor:
        return self._anchors.flatten(0, 2)

    def _per_anchor(self, raw: Tensor, values: int) -> Tensor:
        # The number of anchors is fixed, so that images of another size fail here and never meet the wrong anchors.
        return raw.permute(0, 2, 3, 1).reshape(raw.shape[0], self._flat_anchors.shape[0], values)
