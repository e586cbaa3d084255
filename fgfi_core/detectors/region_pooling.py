"""RoIAlign (He et al., ICCV 2017) on one map or a pyramid, for regions of any images of the batch."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

# A region of 224 x 224 pixels is pooled from the level of stride 16, one of half the size from stride 8, and so on:
# Lin et al., CVPR 2017, equation 1, with torchvision's tolerance.
CANONICAL_SIDE = 224
CANONICAL_OCTAVE = 4
TOLERANCE = 1e-6


class RegionPooling(nn.Module):
    """Regions as maps of a fixed size.

    strides: of the maps that regions are pooled from, finest first, each twice the one before; further maps are not
    looked at. size: cells a side. points: sampled in each cell, a side. torchvision's MultiScaleRoIAlign does the same,
    but takes the boxes as a list by image, whose length an export fixes.
    """

    def __init__(self, strides: Sequence[int], size: int, points: int) -> None:
        super().__init__()
        self.strides, self.size, self.points = tuple(strides), size, points

    def forward(self, maps: Sequence[Tensor], regions: Tensor) -> Tensor:
        """maps: [B, C, H_l, W_l]. regions: [R, 5], number of the image and xyxy pixels. Returns [R, C, size, size]."""
        if len(self.strides) == 1:
            return self._align(maps[0], regions, self.strides[0])
        level = self.levels(regions)
        rows = [torch.where(level == number)[0] for number in range(len(self.strides))]
        pooled = [
            self._align(features, regions[own], stride)
            for features, own, stride in zip(maps, rows, self.strides, strict=False)
        ]
        # From the order of the levels back to that of the regions.
        return torch.cat(pooled)[torch.cat(rows).argsort()]

    def levels(self, regions: Tensor) -> Tensor:
        """The map that each region is pooled from, [R] int64."""
        first = self.strides[0].bit_length() - 1
        side = (regions[:, 3:] - regions[:, 1:3]).prod(dim=1).sqrt()
        octave = (CANONICAL_OCTAVE + (side / CANONICAL_SIDE).log2() + TOLERANCE).floor()
        return octave.clamp(first, first + len(self.strides) - 1).long() - first

    def _align(self, features: Tensor, regions: Tensor, stride: int) -> Tensor:
        # Half precision would round the regions' pixels.
        features, regions = features.float(), regions.float()
        scale, aligned = 1 / stride, False
        if torch.onnx.is_in_onnx_export():
            # The operator itself: the function around it looks at the regions' shape, which a trace takes for a branch.
            align = torch.ops.torchvision.roi_align
            pooled: Tensor = align(features, regions, scale, self.size, self.size, self.points, aligned)
        else:
            pooled = roi_align(features, regions, self.size, scale, self.points, aligned)
        return pooled
