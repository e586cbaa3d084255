"""Anchors that are known once the size of the images is."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList


class FixedAnchors(nn.Module):
    """Anchors [H_l, W_l, K_l, 4] of each level; stands where torchvision wants an anchor generator.

    They move with the module and are no part of its state dict.
    """

    flat: Tensor

    def __init__(self, levels: Sequence[Tensor]) -> None:
        super().__init__()
        self._shapes = [tuple(level.shape) for level in levels]
        self.counts = tuple(math.prod(shape[:3]) for shape in self._shapes)
        self.register_buffer("flat", torch.cat([level.flatten(0, 2) for level in levels]), persistent=False)

    def forward(self, images: ImageList, maps: Sequence[Tensor]) -> list[Tensor]:
        """All anchors, [A, 4] xyxy pixels, for each image."""
        del maps
        return [self.flat] * len(images.image_sizes)

    def levels(self) -> tuple[Tensor, ...]:
        """[H_l, W_l, K_l, 4] each."""
        parts, start = [], 0
        for count, shape in zip(self.counts, self._shapes, strict=True):
            parts.append(self.flat[start : start + count].view(shape))
            start += count
        return tuple(parts)
