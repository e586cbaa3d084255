import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgfi_core.data.boxes import Box, fit, fit_all

SIDES = st.floats(-200, 300) | st.sampled_from([-1e300, 1e300, 0.0, 100.0, 80.0])


@pytest.mark.parametrize(
    ("box", "left", "said"),
    [
        ((10, 20, 50, 60), (10, 20, 50, 60), ""),
        ((-1, -1, 101, 81), (0, 0, 100, 80), ""),
        ((-1.5, 0, 100, 80), (0, 0, 100, 80), "leaves 100x80; clipped"),
        ((100, 10, 120, 20), None, "lies outside 100x80; dropped"),
        ((50, 10, 50, 20), None, "has no area; dropped"),
        ((50, 10, 40, 20), None, "has no area; dropped"),
        ((50, 10, 50.001, 20), None, "has no area; dropped"),
    ],
)
def test_a_box_is_clipped_to_its_image(box: Box, left: Box | None, said: str) -> None:
    assert fit(box, (100, 80)) == (left, said)


@settings(deadline=None)
@given(st.lists(st.tuples(SIDES, SIDES, SIDES, SIDES), max_size=8))
def test_many_boxes_at_once_fare_as_each_alone(boxes: list[Box]) -> None:
    sizes = np.tile([100, 80], (len(boxes), 1))
    clipped, kept, said = fit_all(np.array(boxes, np.float64).reshape(-1, 4), sizes)
    alone = [fit(box, (100, 80)) for box in boxes]
    assert kept.tolist() == [left is not None for left, _ in alone]
    assert np.array_equal(clipped[kept], np.array([left for left, _ in alone if left], np.float32).reshape(-1, 4))
    assert said == [(i, words) for i, (_, words) in enumerate(alone) if words]
    assert (clipped[kept, 2:] > clipped[kept, :2]).all()
