"""The cells of a map that lie under boxes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


class BoxCells(NamedTuple):
    """A box covers the cells where its rows cross its columns: rows bool [B, G, H], columns bool [B, G, W]."""

    rows: Tensor
    columns: Tensor

    def union(self) -> Tensor:
        """Cells under any box of the image, bool [B, H, W]."""
        return (self.rows[..., :, None] & self.columns[..., None, :]).any(1)

    def counts(self) -> Tensor:
        """Cells under each box, [B, G] int64; 0 for padding."""
        return self.rows.sum(-1) * self.columns.sum(-1)


def box_cells(boxes: Sequence[Tensor], size: tuple[int, int], grid: tuple[int, int]) -> BoxCells:
    """Cells whose centre is inside a box; a box that is thinner than a cell keeps the row or column it is centred in.

    The grid divides the image evenly. A box without area covers nothing, nor does one beyond the image.

    boxes: [G_b, 4] xyxy pixels for each image of the batch, padded to G with boxes without area. size: (width, height)
    of the image in pixels. grid: (H, W).
    """
    padded = pad_sequence(list(boxes), batch_first=True)
    area = (padded[..., 2:] - padded[..., :2]).clamp_min(0).prod(-1, keepdim=True)
    columns = _within(padded[..., 0::2], size[0], grid[1])
    rows = _within(padded[..., 1::2], size[1], grid[0])
    return BoxCells(rows & (area > 0), columns & (area > 0))


def _within(span: Tensor, length: int, cells: int) -> Tensor:
    """Cells of one axis, bool [B, G, cells], whose centre is within start and end, or else the one at their middle."""
    span = span.double() * (cells / length)
    cell = torch.arange(cells, device=span.device)
    inside = (span[..., :1] <= cell + 0.5) & (cell + 0.5 <= span[..., 1:])
    middle = span.mean(-1, keepdim=True).floor() == cell
    return inside | (middle & ~inside.any(-1, keepdim=True))
