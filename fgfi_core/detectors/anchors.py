"""Anchors: grids of default boxes, and shapes for them from a data set's own boxes."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fgfi_core.spec.catalogue import DETECTORS

Shapes = Sequence[tuple[float, float]]

_MOST_ROUNDS = 300


def num_anchor_shapes(name: str) -> int:
    """How many anchor shapes k-means should find in a data set's boxes; 0 where the scales are the family's own."""
    return DETECTORS[name].anchor_shapes


def grid(shapes: Shapes, image_size: tuple[int, int], cells: tuple[int, int], *, inset: bool = False) -> Tensor:
    """Anchors of one map, [H, W, K, 4] float32 xyxy pixels, those crossing the border included.

    shapes: K (w, h) in pixels. image_size: (width, height) in pixels. cells: (W, H) of the map. Centres divide the
    image evenly: at (i + 1/2) * width / W, or with `inset` at (i + 1) * width / (W + 1), the toy detector's rule.
    """
    x, y = (
        (torch.arange(count, dtype=torch.float64) + (1 if inset else 0.5)) * size / (count + 1 if inset else count)
        for size, count in zip(image_size, cells, strict=True)
    )
    centers = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[:, :, None]
    half = torch.tensor(shapes, dtype=torch.float64).reshape(1, 1, -1, 2) / 2
    return torch.cat((centers - half, centers + half), dim=-1).float()


def scale_shapes(shapes: Shapes, old: tuple[int, int], new: tuple[int, int]) -> tuple[tuple[float, float], ...]:
    """Shapes made for images of size `old`, (width, height), as they are when these are resized to `new`."""
    return tuple((w * new[0] / old[0], h * new[1] / old[1]) for w, h in shapes)


def kmeans_shapes(sizes: NDArray[np.floating], k: int, seed: int) -> NDArray[np.float64]:
    """Cluster box sizes into k anchor shapes by IoU distance (boxes laid centre on centre).

    sizes: [N, 2] (w, h). Returns [k, 2] float64, smallest area first. Deterministic in its arguments; every centre is
    the median of its boxes, which outliers do not pull. When there are fewer different sizes than k, the rest are
    those sizes grown and shrunk. Raises ValueError when no size is positive and finite, or k < 1.
    Source: Redmon and Farhadi, YOLO9000, section 2.
    """
    if k < 1:
        raise ValueError(f"k is {k}: at least one anchor shape is needed")
    sizes = np.asarray(sizes, dtype=np.float64).reshape(-1, 2)
    sizes = sizes[np.isfinite(sizes).all(axis=1) & (sizes > 0).all(axis=1)]
    if len(sizes) == 0:
        raise ValueError("there is no box with a positive size to take anchor shapes from")
    # The order of the boxes must not matter: files are listed differently on different machines.
    sizes = sizes[np.lexsort(sizes.T)]
    distinct = np.unique(sizes, axis=0)
    if len(distinct) <= k:
        return _by_area(_fill(distinct, k))
    centers = _spread(distinct, k, np.random.default_rng(seed))
    assigned = np.full(len(sizes), -1)
    for _ in range(_MOST_ROUNDS):
        nearest = _iou(sizes, centers).argmax(axis=1)
        if (nearest == assigned).all():
            break
        assigned = nearest
        for i in range(k):
            if (assigned == i).any():
                centers[i] = np.median(sizes[assigned == i], axis=0)
    return _by_area(centers)


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    overlap = np.minimum(a[:, None], b[None]).prod(axis=2)
    return np.asarray(overlap / (a.prod(axis=1)[:, None] + b.prod(axis=1)[None] - overlap))


def _spread(distinct: NDArray[np.float64], k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """k-means++: each further centre is drawn in proportion to its squared distance from those taken."""
    chosen = [int(rng.integers(len(distinct)))]
    while len(chosen) < k:
        distance = 1 - _iou(distinct, distinct[chosen]).max(axis=1)
        # Exactly zero for what is taken, so that rounding can never draw it twice.
        distance[chosen] = 0
        chosen.append(int(rng.choice(len(distinct), p=distance**2 / (distance**2).sum())))
    return distinct[chosen].copy()


def _fill(distinct: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    factors = [f for step in range(k) for f in ((1.0,) if step == 0 else (1.25**step, 0.8**step))]
    return np.concatenate([distinct * factor for factor in factors])[:k]


def _by_area(shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    return shapes[np.lexsort((shapes[:, 0], shapes.prod(axis=1)))]
