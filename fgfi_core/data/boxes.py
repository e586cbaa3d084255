"""A box and its image: what of the box lies inside, and whether that is worth a word."""

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

# Tools that count from 0 put boxes up to one pixel over the border; that is convention and not worth a word.
SILENT_OVERHANG = 1.0
# In pixels. As float32 a thinner box could lose its side altogether, and detectors take logarithms of sides.
THIN = 0.01


def fit(box: Box, size: tuple[int, int]) -> tuple[Box | None, str]:
    """Clip a box to [0, width] x [0, height].

    box: xyxy pixels, finite or infinite. Returns what is left of it, None for nothing, and what there is to say: "" for
    nothing.
    """
    (x1, y1, x2, y2), (width, height) = box, size
    # Nearly all boxes.
    if x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height and x2 - x1 >= THIN and y2 - y1 >= THIN:
        return box, ""
    if not (x2 - x1 >= THIN and y2 - y1 >= THIN):
        return None, "has no area; dropped"
    left = max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))
    if not (left[2] - left[0] >= THIN and left[3] - left[1] >= THIN):
        return None, f"lies outside {width}x{height}; dropped"
    overhang = max(abs(a - b) for a, b in zip(box, left, strict=True))
    return left, f"leaves {width}x{height}; clipped" if overhang > SILENT_OVERHANG else ""


def fit_all(
    boxes: NDArray[np.float64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], list[tuple[int, str]]]:
    """`fit` for many boxes: [A, 4] xyxy in images of [A, 2] (width, height).

    Returns the boxes clipped, [A] whether anything is left of each, and the index of each box there is to say something
    about, with it.
    """
    with np.errstate(over="ignore"):
        sides = boxes[:, 2:] - boxes[:, :2]
        clipped = boxes.astype(np.float32)
    # Nearly all boxes lie inside; the others go one by one.
    inside = np.hstack([boxes[:, :2] >= 0, boxes[:, 2:] <= sizes, sides >= THIN])
    kept: NDArray[np.bool_] = np.logical_and.reduce(inside, axis=1)
    said = []
    for i in np.flatnonzero(~kept):
        (x1, y1, x2, y2), (width, height) = boxes[i].tolist(), sizes[i].tolist()
        left, words = fit((x1, y1, x2, y2), (width, height))
        if left is not None:
            clipped[i], kept[i] = left, True
        if words:
            said.append((int(i), words))
    return clipped, kept, said
