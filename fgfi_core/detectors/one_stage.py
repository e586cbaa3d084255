"""What detectors around a one-stage network of torchvision's share: maps, flat outputs, anchors by map."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.normalisation import Normalisation
from fgfi_core.processes import processes, summed


class OneStage(Detector):
    """torchvision's `model` for fixed images; the names of parameters are torchvision's behind `model.`.

    Of the model its backbone, its head and its `compute_loss` are used: images come resized and are normalised here.
    anchors: [H_l, W_l, K_l, 4] of each map, in the order of the head's flat outputs.
    """

    model: Any
    _anchors: Tensor

    def __init__(
        self, name: str, num_classes: int, image_size: tuple[int, int], model: nn.Module, anchors: Sequence[Tensor]
    ) -> None:
        super().__init__()
        self.name, self.num_classes, self.image_size = name, num_classes, image_size
        self.anchor_shapes = ()
        self.normalisation = Normalisation()
        self.model = model
        self._levels = [tuple(level.shape[:3]) for level in anchors]
        self._level_anchors = [math.prod(level) for level in self._levels]
        self.register_buffer("_anchors", torch.cat([level.flatten(0, 2) for level in anchors]), persistent=False)

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """[B, 3, H, W] to the maps that the head reads, each [B, C_l, ceil(H / stride_l), ceil(W / stride_l)]."""
        return tuple(self.model.backbone(self.normalisation(images)).values())

    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Outputs:
        """torchvision's, each [B, A, ...]: `cls_logits`, `bbox_regression` and what else the family has."""
        del targets  # One stage learns from every anchor.
        outputs: dict[str, Tensor] = self.model.head(list(maps))
        # The number of anchors is fixed, so that images of another size fail here and never meet the wrong anchors.
        count = sum(self._level_anchors)
        return {key: value.reshape(value.shape[0], count, value.shape[2]) for key, value in outputs.items()}

    def class_logits(self, outputs: Outputs) -> Tensor:
        """Every anchor's."""
        return outputs["cls_logits"].flatten(0, 1)

    def anchors(self) -> tuple[Tensor, ...]:
        """One [H_l, W_l, K_l, 4] for each map."""
        levels = torch.split(self._anchors, self._level_anchors)
        return tuple(anchors.view(*level, 4) for anchors, level in zip(levels, self._levels, strict=True))

    def weight_decay_parameters(self) -> set[str]:
        """Every convolution's weight; no bias, no norm."""
        return {name for name, parameter in self.named_parameters() if parameter.ndim > 1}

    def _targets(self, targets: Sequence[Target], *, first_label: int = 0) -> list[dict[str, Tensor]]:
        """As torchvision takes them, on the anchors' device."""
        device = self._anchors.device
        return [{"boxes": t.boxes.to(device), "labels": t.labels.to(device) + first_label} for t in targets]


def share_of_positives(matched: Sequence[Tensor]) -> Tensor | float:
    """By it, means over a process's own positive anchors become such that their mean is that over the positives of all.

    matched: [A] int64 an image, the box of each anchor; negative is background.
    """
    if processes() == 1:
        return 1.0
    own = torch.stack([(one >= 0).sum() for one in matched]).sum()
    return processes() * own.clamp(min=1) / summed(own).clamp(min=1)


def in_float32(outputs: Outputs) -> dict[str, Tensor]:
    """For losses and boxes, whose pixels half precision would round."""
    return {key: value.float() for key, value in outputs.items()}
