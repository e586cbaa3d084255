from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgfi_core.evaluation import pairs
from fgfi_core.evaluation.pairs import Boxes, Pairs, overlapping

_keyed = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 3)), max_size=8)


def boxes(*rows: tuple[float, float, float, float]) -> Boxes:
    return np.array(rows, np.float64).reshape(-1, 4)


def overlaps(a: Boxes, b: Boxes, of: Literal["union", "a"] = "union") -> list[float]:
    """Of two boxes; nothing where they do not overlap."""
    key = np.zeros(1, np.int64)
    return [float(overlap) for overlap in overlapping(a, key, b, key, 1e-9, of=of).overlap]


def test_iou_is_shared_over_joint_area() -> None:
    assert overlaps(boxes((0, 0, 10, 10)), boxes((5, 0, 15, 10))) == pytest.approx([50 / 150])


def test_the_share_of_a_is_of_its_area_alone() -> None:
    assert overlaps(boxes((0, 0, 10, 10)), boxes((5, 0, 100, 100)), "a") == [0.5]


@pytest.mark.parametrize("of", ["union", "a"])
def test_boxes_that_only_touch_are_apart_or_have_no_area_do_not_overlap(of: Literal["union", "a"]) -> None:
    for other in ((10, 0, 20, 10), (30, 30, 40, 40), (5, 5, 5, 5), (8, 5, 2, 5)):
        assert overlaps(boxes((0, 0, 10, 10)), boxes(other), of) == []
        assert overlaps(boxes(other), boxes((0, 0, 10, 10)), of) == []


@given(_keyed, _keyed, st.sampled_from([1, 3, 1000]))
def test_pairs_are_those_of_two_loops_however_many_are_looked_at_in_one_go(
    left: list[tuple[int, int, int]], right: list[tuple[int, int, int]], at_once: int
) -> None:
    a, b = (boxes(*[(x, 0, x + 1 + w, 2) for _, x, w in rows]) for rows in (left, right))
    a_key, b_key = (np.array([key for key, _, _ in rows], np.int64) for rows in (left, right))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "_AT_ONCE", at_once)
        found = overlapping(a, a_key, b, b_key, 0.25)
    expected = [
        (i, j)
        for i in range(len(a))
        for j in range(len(b))
        if a_key[i] == b_key[j] and sum(overlaps(a[i : i + 1], b[j : j + 1])) >= 0.25
    ]
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == expected


def test_the_best_pair_of_each_is_the_first_of_equals() -> None:
    some = Pairs(np.array([0, 0, 0, 4, 4]), np.array([7, 8, 9, 2, 3]), np.array([0.5, 0.9, 0.9, 0.6, 0.6]))
    best = some.best()
    assert best.a.tolist() == [0, 4]
    assert best.b.tolist() == [8, 2]
