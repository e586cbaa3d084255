"""What a backbone of Faster R-CNN brings along."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor, nn


class Parts(NamedTuple):
    """A network cut in two at the imitated maps, with fresh weights.

    backbone: images [B, 3, H, W] to the maps, one tensor or a dict of them, finest first. box_head: pooled regions
    [R, C, 7, 7] to vectors [R, `vector`]. pooled_levels: how many maps, from the finest, regions are pooled from.
    frozen: beginnings of the names of parameters, within the backbone, that stay as ImageNet made them.
    under_own_names: a state dict of torchvision's ImageNet network as a part of the detector's.
    """

    backbone: nn.Module
    box_head: nn.Module
    vector: int
    pooled_levels: int
    frozen: tuple[str, ...]
    under_own_names: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
