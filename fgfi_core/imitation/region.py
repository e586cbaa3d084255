"""Where the student imitates: the cells near objects, from boxes and anchors alone (Wang et al., section 3.1).

For each ground-truth box, M is its largest IoU with any anchor; a cell is imitated when one of its anchors overlaps one
of the boxes with IoU > psi * M. Anchor shapes repeat over the grid, so the overlap of box and anchor is a product of an
x part and a y part: M comes from O(K * (W + H)) numbers a box, and the mask from one comparison of the two parts.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Levels = Literal["joint", "assigned", "separate"]

GRID_TOLERANCE = 1e-3  # pixels; anchors further off a regular grid are refused
CHUNK = 1 << 17  # (box, shape, cell) triples in memory at once: as many as a CPU's cache holds
DEVICE_CHUNK = 1 << 24  # likewise on an accelerator, where few large kernels are faster
ROUNDING = 1e-6  # equality up to float32 rounding is equality, and the comparison is strict
NEVER = 1.0  # a share that nothing has: it is at most one half
TINY = 1e-30


def estimate_region(anchors: Tensor, boxes: Tensor, threshold: float, *, pixel_offset: float = 0.0) -> Tensor:
    """The imitated cells of one image on one map, bool [H, W].

    anchors: [H, W, K, 4] xyxy pixels, those crossing the border included. boxes: [G, 4] xyxy pixels. threshold: psi.
    pixel_offset: 1 measures widths as Pascal VOC's programs do, `x2 - x1 + 1`.
    Raises ValueError when the threshold is outside [0, 1] or the anchors are not a grid of repeated shapes.
    """
    return RegionEstimator([anchors], pixel_offset=pixel_offset)([boxes], threshold)[0][0]


def estimate_regions(
    anchors: Sequence[Tensor],
    boxes: Sequence[Tensor],
    threshold: float,
    levels: Levels = "joint",
    *,
    pixel_offset: float = 0.0,
) -> tuple[Tensor, ...]:
    """The imitated cells of a batch on every level, bool [B, H_l, W_l] each; see `RegionEstimator`.

    anchors: [H_l, W_l, K_l, 4] for each level. boxes: [G_b, 4] for each image.
    """
    return RegionEstimator(anchors, levels, pixel_offset=pixel_offset)(boxes, threshold)


class RegionEstimator:
    """Regions for fixed anchors; keep one for a whole training run, it holds what depends on the anchors alone.

    anchors: [H_l, W_l, K_l, 4] xyxy pixels for each level; K_l shapes repeated over the level's grid.
    levels, for several maps: `joint` takes one M per box over all levels, so that levels select themselves; `assigned`
    looks for each box only on the level whose anchors are nearest to its size (geometric mean, in octaves); `separate`
    takes an M per box and level.
    absolute: compare IoU with the threshold itself instead of threshold * M; `separate` is then the same as `joint`.
    all_pairs: look at every box and shape; else at those that reach the threshold somewhere, a few, but counting them
    waits for an accelerator. None is all pairs there and the few on a CPU.
    Raises ValueError when anchors are not a grid of repeated shapes, or `levels` is unknown.
    """

    def __init__(
        self,
        anchors: Sequence[Tensor],
        levels: Levels = "joint",
        *,
        pixel_offset: float = 0.0,
        absolute: bool = False,
        all_pairs: bool | None = None,
    ) -> None:
        if levels not in ("joint", "assigned", "separate"):
            raise ValueError(f"levels must be joint, assigned or separate, not '{levels}'")
        self.levels = levels
        self.pixel_offset = pixel_offset
        self.absolute = absolute
        self.all_pairs = anchors[0].device.type != "cpu" if all_pairs is None else all_pairs
        self._grids = [_grid(level, pixel_offset) for level in anchors]
        self._scales = torch.stack([anchor_scale(level) for level in anchors])

    def __call__(self, boxes: Sequence[Tensor], threshold: float) -> tuple[Tensor, ...]:
        """Imitated cells, bool [B, H_l, W_l] for each level, on the anchors' device.

        boxes: [G_b, 4] xyxy pixels for each image of the batch; images without a box get an empty region.
        Raises ValueError when threshold (psi) is outside [0, 1].
        """
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"the region's threshold must be in [0, 1], not {threshold}")
        padded = self._pad(boxes)
        area = _areas(padded)
        overlaps = [_overlap(grid, padded, area) for grid in self._grids]
        least = self._least_share([overlap.share for overlap in overlaps], padded, threshold)
        pairs = _all_pairs if self.all_pairs else _reaching_pairs
        return tuple(_cells(*pairs(overlap, level)) for overlap, level in zip(overlaps, least, strict=True))

    def best_iou(self, boxes: Sequence[Tensor]) -> Tensor:
        """M of each box, [B, G] float64: its largest IoU with any anchor of any level; 0 in the padding beyond G_b."""
        padded = self._pad(boxes)
        area = _areas(padded)
        share = torch.stack([_overlap(grid, padded, area).share.amax(-1) for grid in self._grids]).amax(0)
        return share / (1 - share)

    def _pad(self, boxes: Sequence[Tensor]) -> Tensor:
        """All boxes as [B, G, 4] float64, the offset applied; padding boxes have no area and so no region."""
        if self.pixel_offset:
            boxes = [torch.cat([box[:, :2], box[:, 2:] + self.pixel_offset], 1) for box in boxes]
        return pad_sequence(list(boxes), batch_first=True).detach().to(self._grids[0].area)

    def _least_share(self, shares: Sequence[Tensor], boxes: Tensor, threshold: float) -> list[Tensor]:
        """The share of psi * M for each box on each level, [B, G]; out of reach where the box is another level's."""
        best = torch.stack([share.amax(-1) for share in shares]) if len(shares) > 1 else shares[0].amax(-1)[None]
        if self.absolute:
            least = torch.full_like(best, threshold / (1 + threshold))
        else:
            # With M = best / (1 - best), psi * M / (1 + psi * M).
            least = threshold * best / (1 - (1 - threshold) * best)
        if self.levels == "joint":
            return [least.amax(0)] * len(shares)
        if self.levels == "separate":
            return list(least)
        nearest = nearest_level(boxes, self._scales)
        return [level.where(nearest == index, NEVER) for index, level in enumerate(least)]


def anchor_scale(anchors: Tensor) -> Tensor:
    """Size of a level's anchors [H, W, K, 4] as the mean log2 of their sides, a float64 scalar."""
    return (anchors[0, 0, :, 2:] - anchors[0, 0, :, :2]).double().log2().mean()


def nearest_level(boxes: Tensor, scales: Tensor) -> Tensor:
    """The level of each box [B, G, 4], [B, G] int64: whose anchors are nearest to its size (geometric mean, octaves).

    scales: [L], `anchor_scale` of each level. Of two equally near the finer one has the box.
    """
    size = (boxes[..., 2:] - boxes[..., :2]).double().clamp_min(TINY).log2().mean(-1)
    return (size[..., None] - scales).abs().argmin(-1)


class _Grid(NamedTuple):
    """One level's anchors by axis, float64: N is W columns, then H rows.

    start, end: [K, N], x of a column and y of a row. low, high: [N] int64, which of a box's coordinates meets them.
    area: [K]. columns: W.
    """

    start: Tensor
    end: Tensor
    low: Tensor
    high: Tensor
    area: Tensor
    columns: int


class _Overlap(NamedTuple):
    """Overlaps of boxes with one level's anchors: lengths [B, G, K, N] in pixels, along x for W columns, then along y.

    total: [B, G, K], area of box plus area of anchor. share: [B, G, K], the shape's best overlap anywhere on the grid
    over its total, s = IoU / (1 + IoU), which orders as IoU does and takes fewer steps.
    """

    lengths: Tensor
    total: Tensor
    share: Tensor
    columns: int


def _grid(anchors: Tensor, pixel_offset: float) -> _Grid:
    if anchors.ndim != 4 or anchors.shape[-1] != 4 or 0 in anchors.shape:
        raise ValueError(f"anchors must be [H, W, K, 4] and not empty, not {list(anchors.shape)}")
    anchors = anchors.detach().double()
    x, y = anchors[0, :, :, 0::2], anchors[:, 0, :, 1::2]
    size = anchors[0, 0, :, 2:] - anchors[0, 0, :, :2]
    on_grid = (
        _near(anchors[..., 0::2], x[None])
        and _near(anchors[..., 1::2], y[:, None])
        and _near(x[..., 1] - x[..., 0], size[:, 0])
        and _near(y[..., 1] - y[..., 0], size[:, 1])
    )
    if not on_grid:
        raise ValueError("anchors must repeat the same shapes over a grid of columns and rows")
    far_end = torch.tensor([0.0, pixel_offset], dtype=torch.float64, device=anchors.device)
    start, end = (torch.cat([x, y]) + far_end).permute(2, 1, 0).contiguous()
    axis = torch.tensor([0] * len(x) + [1] * len(y), device=anchors.device)
    return _Grid(start, end, axis, axis + 2, (size + pixel_offset).prod(-1), len(x))


def _near(a: Tensor, b: Tensor) -> bool:
    return bool(((a - b).abs() <= GRID_TOLERANCE).all())


def _areas(boxes: Tensor) -> Tensor:
    """[B, G] of boxes [B, G, 4]."""
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


def _overlap(grid: _Grid, boxes: Tensor, area: Tensor) -> _Overlap:
    low, high = boxes.index_select(-1, grid.low).unsqueeze(-2), boxes.index_select(-1, grid.high).unsqueeze(-2)
    lengths = torch.minimum(grid.end, high).sub_(torch.maximum(grid.start, low)).clamp_min_(0)
    total = grid.area + area[..., None]
    # The best column crosses the best row somewhere on the grid.
    inner = lengths[..., : grid.columns].amax(-1) * lengths[..., grid.columns :].amax(-1)
    return _Overlap(lengths, total, inner / total, grid.columns)


class _Pairs(NamedTuple):
    """Boxes and shapes to look at: lengths [B, P, N] of `columns` columns and the rows, and x * y to exceed, [B, P].

    With i = x * y, IoU > t is i / total > t / (1 + t).
    """

    lengths: Tensor
    limit: Tensor
    columns: int

    @property
    def cells(self) -> int:
        """Of all pairs together."""
        return self.limit.numel() * self.columns * (self.lengths.shape[-1] - self.columns)


def _all_pairs(overlap: _Overlap, least: Tensor) -> _Pairs:
    """Every box with every shape, P = G * K; no shape depends on the data."""
    limit = overlap.total * least.clamp_min(TINY)[..., None]
    return _Pairs(overlap.lengths.flatten(1, 2), limit.flatten(1), overlap.columns)


def _reaching_pairs(overlap: _Overlap, least: Tensor) -> _Pairs:
    """Those that exceed least [B, G] somewhere, and as many others as other images need: P is the most of any."""
    every = _all_pairs(overlap, least)
    if every.cells <= CHUNK:
        return every  # Looking at all is quicker than choosing.
    reach = (overlap.share > least[..., None]).flatten(1)
    _, chosen = reach.byte().topk(int(reach.sum(1).max()), sorted=False)
    return _Pairs(_take(every.lengths, chosen), every.limit.gather(1, chosen), overlap.columns)


def _cells(lengths: Tensor, limit: Tensor, columns: int) -> Tensor:
    """Cells where x * y exceeds the limit of a pair, bool [B, H, W].

    As (x / limit) * y > 1: over all boxes and shapes, one product and one maximum a cell.
    """
    across = (lengths[..., :columns] / limit[..., None]).float()[:, :, None, :]
    down = lengths[..., columns:].float()[..., None]
    batch, pairs, rows, _ = down.shape
    cells = batch * rows * columns
    step = max(1, (CHUNK if lengths.device.type == "cpu" else DEVICE_CHUNK) // max(1, cells))
    if 0 < pairs <= step:
        return (down * across).amax(1) > 1 + ROUNDING
    most = down.new_zeros(batch, rows, columns)
    for at in range(0, pairs, step):
        torch.maximum(most, (down[:, at : at + step] * across[:, at : at + step]).amax(1), out=most)
    return most > 1 + ROUNDING


def _take(lengths: Tensor, chosen: Tensor) -> Tensor:
    """The rows [B, P, N] of lengths [B, G * K, N] that `chosen` [B, P] names."""
    batch, pairs, length = lengths.shape
    flat = chosen + pairs * torch.arange(batch, device=chosen.device)[:, None]
    return lengths.reshape(-1, length).index_select(0, flat.flatten()).view(*chosen.shape, length)
