"""Where an image lies in a detector's input, and boxes there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgfi_core.data.frame import FILL, Frame, Resize, padded

sides = st.integers(1, 3000)
sizes = st.tuples(sides, sides)
inputs = st.tuples(st.integers(32, 1200), st.integers(32, 1200))
frames = st.builds(Frame, inputs, st.sampled_from(["stretch", "fit"]))
shares = st.tuples(*[st.floats(0, 1)] * 4)


def boxes_in(size: tuple[int, int], corners: tuple[float, ...]) -> np.ndarray:
    """One box [1, 4] inside an image, from four shares of its sides."""
    (x1, x2), (y1, y2) = sorted(corners[0::2]), sorted(corners[1::2])
    return np.array([[x1 * size[0], y1 * size[1], x2 * size[0], y2 * size[1]]], np.float32)


@given(frames, sizes, shares)
def test_a_box_comes_back_from_the_input_to_where_it_was(
    frame: Frame, size: tuple[int, int], corners: tuple[float, ...]
) -> None:
    boxes = boxes_in(size, corners)
    there = frame.to_input(boxes, size)
    assert (there >= 0).all()
    assert (there <= np.array(frame.content(size) * 2)).all()
    np.testing.assert_allclose(frame.to_image(there, size), boxes, rtol=1e-5, atol=1e-5 * max(size))


@given(inputs, sizes)
def test_a_fitted_image_fills_one_side_and_keeps_its_shape_to_half_a_pixel(
    input_size: tuple[int, int], size: tuple[int, int]
) -> None:
    content = Frame(input_size, "fit").content(size)
    assert any(own == whole for own, whole in zip(content, input_size, strict=True))
    scale = min(input_size[0] / size[0], input_size[1] / size[1])
    for own, side in zip(content, size, strict=True):
        assert own == 1 or abs(own - side * scale) <= 0.5 + 1e-9


@given(inputs, sizes)
def test_an_image_of_the_inputs_shape_lies_alike_in_both(input_size: tuple[int, int], factor: tuple[int, int]) -> None:
    size = (input_size[0] * factor[0], input_size[1] * factor[0])
    assert Frame(input_size, "fit").content(size) == Frame(input_size).content(size) == input_size


def test_what_reaches_into_the_padding_ends_at_the_images_border() -> None:
    frame = Frame((100, 100), "fit")
    found = np.array([[40, 60, 90, 100], [60, 10, 100, 20]], np.float32)
    assert frame.to_image(found, (20, 40)).tolist() == [[16, 24, 20, 40], [20, 4, 20, 8]]


@pytest.mark.parametrize(("resize", "expected"), [("stretch", [0, 1, 2, 3]), ("fit", [0, 1])])
def test_of_a_map_over_the_input_the_image_has_its_own_cells(resize: Resize, expected: list[int]) -> None:
    columns = np.arange(4)[None].repeat(2, axis=0)
    assert Frame((64, 32), resize).over_image(columns, (20, 20)).tolist() == [expected] * 2


def test_padding_is_the_mean_colour_and_the_image_stays_as_it_is() -> None:
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    whole = padded(image, (5, 4))
    assert (whole[:2, :3] == image).all()
    assert (whole[2:] == FILL).all()
    assert (whole[:, 3:] == FILL).all()
