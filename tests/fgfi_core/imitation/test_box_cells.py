"""Cells under boxes against a plain loop over cells."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fgfi_core.imitation.box_cells import box_cells

SIZE, GRID = (80, 48), (6, 10)  # cells of 8 x 8 pixels


def along(start: float, end: float, cells: int) -> list[int]:
    """Cells of one axis, of 8 pixels, whose centre lies between start and end; else the one at their middle."""
    inside = [i for i in range(cells) if start <= 8 * i + 4 <= end]
    return inside or [i for i in range(cells) if 8 * i <= (start + end) / 2 < 8 * (i + 1)]


def reference(boxes: Tensor) -> Tensor:
    mask = torch.zeros(GRID, dtype=torch.bool)
    for x1, y1, x2, y2 in boxes.tolist():
        for row in along(y1, y2, GRID[0]):
            for column in along(x1, x2, GRID[1]):
                mask[row, column] |= x2 > x1 and y2 > y1
    return mask


sides = st.integers(0, 48 * 4).map(lambda quarter: quarter / 4)
boxes_in_image = st.tuples(sides, sides, sides, sides).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]) + 0.25, max(b[1], b[3]) + 0.25)
)


@settings(deadline=None)
@given(st.lists(st.lists(boxes_in_image, max_size=4), min_size=1, max_size=3))
def test_union_is_the_loop_over_boxes_and_cells(images: list[list[tuple[float, float, float, float]]]) -> None:
    batch = [torch.tensor(image).reshape(-1, 4) for image in images]
    got = box_cells(batch, SIZE, GRID).union()
    for mask, boxes in zip(got, batch, strict=True):
        assert torch.equal(mask, reference(boxes))


@pytest.mark.parametrize(
    ("box", "cells"),
    [
        ((8.0, 8.0, 24.0, 16.0), 2),  # centres at 12 and 20, 12
        ((13.0, 13.0, 15.0, 15.0), 1),  # within one cell, past its centre
        ((0.0, 13.0, 80.0, 15.0), 10),  # long and thin: the row it lies in
        ((10.0, 10.0, 10.0, 30.0), 0),  # no area
        ((90.0, 8.0, 120.0, 40.0), 0),  # beyond the image
    ],
)
def test_a_box_covers_this_many_cells(box: tuple[float, ...], cells: int) -> None:
    found = box_cells([torch.tensor([box])], SIZE, GRID)
    assert int(found.union().sum()) == int(found.counts().sum()) == cells


def test_images_without_boxes_have_no_cells() -> None:
    empty = torch.zeros(0, 4)
    assert not box_cells([empty, empty], SIZE, GRID).union().any()
    beside = box_cells([empty, torch.tensor([[0.0, 0.0, 9.0, 9.0]])], SIZE, GRID).union()
    assert [bool(mask.any()) for mask in beside] == [False, True]
