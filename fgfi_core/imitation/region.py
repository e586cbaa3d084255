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
NEVER = 2.0  # an IoU that nothing has
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
        overlaps = [_overlap(grid, padded) for grid in self._grids]
        least = self._least_iou(overlaps, padded, threshold)
        pairs = _all_pairs if self.all_pairs else _reaching_pairs
        return tuple(_cells(*pairs(overlap, level)) for overlap, level in zip(overlaps, least, strict=True))

    def best_iou(self, boxes: Sequence[Tensor]) -> Tensor:
        """M of each box, [B, G] float64: its largest IoU with any anchor of any level; 0 in the padding beyond G_b."""
        padded = self._pad(boxes)
        return torch.stack([_overlap(grid, padded).iou.amax(-1) for grid in self._grids]).amax(0)

    def _pad(self, boxes: Sequence[Tensor]) -> Tensor:
        """All boxes as [B, G, 4] float64, the offset applied; padding boxes have no area and so no region."""
        if self.pixel_offset:
            boxes = [torch.cat([box[:, :2], box[:, 2:] + self.pixel_offset], 1) for box in boxes]
        return pad_sequence(list(boxes), batch_first=True).detach().to(self._grids[0].area)

    def _least_iou(self, overlaps: Sequence["_Overlap"], boxes: Tensor, threshold: float) -> list[Tensor]:
        """psi * M of each box on each level, [B, G]; out of reach where the box does not belong to the level."""
        best = torch.stack([overlap.iou.amax(-1) for overlap in overlaps])
        least = torch.full_like(best, threshold) if self.absolute else threshold * best
        if self.levels == "joint":
            return [least.amax(0)] * len(overlaps)
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
    """One level's anchors by axis, float64: x [W, K, 2], y [H, K, 2] (start, end) and area [K]."""

    x: Tensor
    y: Tensor
    area: Tensor


class _Overlap(NamedTuple):
    """Overlaps of boxes with one level's anchors: x [B, G, K, W], y [B, G, K, H] in pixels.

    total: [B, G, K], area of box plus area of anchor. iou: [B, G, K], the shape's best anywhere on the grid.
    """

    x: Tensor
    y: Tensor
    total: Tensor
    iou: Tensor


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
    return _Grid(x + far_end, y + far_end, (size + pixel_offset).prod(-1))


def _near(a: Tensor, b: Tensor) -> bool:
    return bool(((a - b).abs() <= GRID_TOLERANCE).all())


def _overlap(grid: _Grid, boxes: Tensor) -> _Overlap:
    x, y = _along(grid.x, boxes[..., 0::2]), _along(grid.y, boxes[..., 1::2])
    total = grid.area + (boxes[..., 2:] - boxes[..., :2]).prod(-1)[..., None]
    inner = x.amax(-1) * y.amax(-1)  # the best column crosses the best row somewhere on the grid
    return _Overlap(x, y, total, inner / (total - inner))


def _along(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Length of overlap on one axis, [B, G, K, N]; anchors: [N, K, 2], boxes: [B, G, 2], (start, end)."""
    start, end = anchors.permute(2, 1, 0).contiguous()
    low, high = boxes[..., 0, None, None], boxes[..., 1, None, None]
    return torch.minimum(end, high).sub_(torch.maximum(start, low)).clamp_min_(0)


class _Pairs(NamedTuple):
    """Boxes and shapes to look at: their overlaps x [B, P, W] and y [B, P, H], and the x * y to exceed, [B, P].

    With i = x * y, IoU = i / (total - i) > t is i > total * t / (1 + t) = limit.
    """

    x: Tensor
    y: Tensor
    limit: Tensor


def _all_pairs(overlap: _Overlap, least_iou: Tensor) -> _Pairs:
    """Every box with every shape, P = G * K; no shape depends on the data."""
    limit = overlap.total * (least_iou / (1 + least_iou)).clamp_min(TINY)[..., None]
    return _Pairs(overlap.x.flatten(1, 2), overlap.y.flatten(1, 2), limit.flatten(1))


def _reaching_pairs(overlap: _Overlap, least_iou: Tensor) -> _Pairs:
    """Those that exceed least_iou [B, G] somewhere, and as many others as other images need: P is the most of any."""
    every = _all_pairs(overlap, least_iou)
    reach = (overlap.iou > least_iou[..., None]).flatten(1)
    _, chosen = reach.byte().topk(int(reach.sum(1).max()), sorted=False)
    return _Pairs(_take(every.x, chosen), _take(every.y, chosen), every.limit.gather(1, chosen))


def _cells(x: Tensor, y: Tensor, limit: Tensor) -> Tensor:
    """Cells where x * y exceeds the limit of a pair, bool [B, H, W].

    As (x / limit) * y > 1: over all boxes and shapes, one product and one maximum a cell.
    """
    columns = (x / limit[..., None]).float()[:, :, None, :]
    rows = y.float()[..., None]
    most = rows.new_zeros(len(x), y.shape[2], x.shape[2])
    step = max(1, (CHUNK if most.device.type == "cpu" else DEVICE_CHUNK) // max(1, most.numel()))
    for at in range(0, x.shape[1], step):
        product = rows[:, at : at + step] * columns[:, at : at + step]
        torch.maximum(most, product.amax(1), out=most)
    return most > 1 + ROUNDING


def _take(lengths: Tensor, chosen: Tensor) -> Tensor:
    """The rows [B, P, N] of lengths [B, G * K, N] that `chosen` [B, P] names."""
    batch, pairs, length = lengths.shape
    flat = chosen + pairs * torch.arange(batch, device=chosen.device)[:, None]
    return lengths.reshape(-1, length).index_select(0, flat.flatten()).view(*chosen.shape, length)
