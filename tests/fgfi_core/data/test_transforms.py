import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fgfi_core.data import transforms
from fgfi_core.spec import Augmentation

WIDTH, HEIGHT = 96, 64
UNIT = st.floats(0, 1, exclude_max=True)
ALL, NONE = Augmentation(), Augmentation(flip=False, photometric=False, shift=False)


def square(x1: int, y1: int, x2: int, y2: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A red square on black, and its box."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[y1:y2, x1:x2] = (255, 0, 0)
    return image, np.array([[x1, y1, x2, y2]], np.float32)


def box_of_red(image: NDArray[np.uint8]) -> list[float]:
    """Where the image is more red than not, at half a pixel's precision."""
    red = (image[..., 0].astype(int) - image[..., 1]) > 127
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@given(st.integers(0, 40), st.integers(0, 20), st.integers(20, 50), st.integers(20, 40), UNIT, UNIT)
def test_a_shifted_box_still_holds_what_it_held(x: int, y: int, w: int, h: int, across: float, down: float) -> None:
    image, boxes = square(x, y, x + w, y + h)
    moved, moved_boxes = transforms.shift(image, boxes, across, down)
    assert moved.shape == image.shape
    np.testing.assert_allclose(moved_boxes[0], box_of_red(moved), atol=1.01)


@given(UNIT, UNIT, st.lists(st.tuples(UNIT, UNIT, UNIT, UNIT), max_size=5))
def test_a_shift_cuts_no_box(across: float, down: float, corners: list[tuple[float, float, float, float]]) -> None:
    boxes = np.array(
        [[x * 80, y * 50, x * 80 + 1 + w * 14, y * 50 + 1 + h * 12] for x, y, w, h in corners], np.float32
    ).reshape(-1, 4)
    _, moved = transforms.shift(np.zeros((HEIGHT, WIDTH, 3), np.uint8), boxes, across, down)
    before, after = (b[:, 2:] - b[:, :2] for b in (boxes, moved))
    # The resize scales all boxes alike; a cut one would be smaller than the others by more.
    scale = after / before
    assert scale == pytest.approx(np.broadcast_to(scale[:1], scale.shape), rel=1e-3)
    assert moved.min(initial=0) >= 0


def test_a_shift_reaches_its_published_size_and_no_further() -> None:
    image = np.zeros((384, 1248, 3), np.uint8)
    box = np.array([[400, 200, 1248, 384]], np.float32)
    _, inwards = transforms.shift(image, box, 0.999999, 0.999999)
    _, outwards = transforms.shift(image, box, 0.0, 0.0)
    # The upper left corner moves by (150, 100), then the rest is resized to the whole.
    np.testing.assert_allclose(inwards[0, :2], [250 * 1248 / 1098, 100 * 384 / 284], rtol=1e-5)
    np.testing.assert_allclose(outwards[0, :2], [550 * 1248 / 1398, 300 * 384 / 484], rtol=1e-5)


def test_flipping_mirrors_image_and_boxes_and_twice_is_nothing() -> None:
    image, boxes = square(10, 5, 30, 25)
    flipped, flipped_boxes = transforms.flip(image, boxes)
    assert flipped_boxes.tolist() == [[WIDTH - 30, 5, WIDTH - 10, 25]]
    assert box_of_red(flipped) == flipped_boxes[0].tolist()
    again, again_boxes = transforms.flip(flipped, flipped_boxes)
    np.testing.assert_array_equal(again, image)
    np.testing.assert_array_equal(again_boxes, boxes)


def changed(pixels: NDArray[np.uint8], **change: float) -> NDArray[np.float32]:
    colour = transforms.photometric(pixels, **({"brightness": 0, "contrast": 1, "saturation": 1} | change))
    out = transforms.apply_colours(torch.from_numpy(pixels)[None], [colour])
    return out[0].permute(1, 2, 0).numpy()


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(60, 190, (16, 16, 3), dtype=np.uint8)


def test_no_change_of_colour_is_the_image(pixels: NDArray[np.uint8]) -> None:
    np.testing.assert_allclose(changed(pixels), pixels / 255, atol=1e-6)


def test_brightness_is_added(pixels: NDArray[np.uint8]) -> None:
    np.testing.assert_allclose(changed(pixels, brightness=0.1), pixels / 255 + 0.1, atol=1e-6)


def test_contrast_spreads_values_about_the_mean_grey(pixels: NDArray[np.uint8]) -> None:
    mean = (pixels / 255 @ transforms.GREY).mean()
    np.testing.assert_allclose(changed(pixels, contrast=1.3), mean + 1.3 * (pixels / 255 - mean), atol=1e-6)


def test_saturation_zero_is_grey_and_more_is_more_colourful(pixels: NDArray[np.uint8]) -> None:
    grey = changed(pixels, saturation=0)
    np.testing.assert_allclose(grey, np.repeat((pixels / 255 @ transforms.GREY)[..., None], 3, axis=2), atol=1e-6)
    before, after = (
        np.mean([colorsys.rgb_to_hsv(*rgb)[1] for rgb in values.reshape(-1, 3).tolist()])
        for values in (pixels / 255, changed(pixels, saturation=1.5))
    )
    assert after > 1.2 * before


def test_values_stay_between_zero_and_one() -> None:
    extremes = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0]]], np.uint8)
    out = changed(extremes, brightness=0.2, contrast=1.5, saturation=1.7)
    assert out.min() == 0
    assert out.max() == 1


def test_augmentation_is_a_function_of_its_generator(pixels: NDArray[np.uint8]) -> None:
    boxes = np.array([[2, 2, 9, 9]], np.float32)
    one, same, other = (transforms.augment(pixels, boxes, ALL, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.image, same.image)
    assert not np.array_equal(one.colour.matrix, other.colour.matrix)


def test_switching_one_part_off_leaves_the_others_as_they_were(pixels: NDArray[np.uint8]) -> None:
    boxes = np.array([[2, 2, 9, 9]], np.float32)
    whole, without = (
        transforms.augment(pixels, boxes, which, np.random.default_rng(3))
        for which in (ALL, Augmentation(photometric=False))
    )
    np.testing.assert_array_equal(whole.image, without.image)


def test_without_augmentation_nothing_changes(pixels: NDArray[np.uint8]) -> None:
    boxes = np.array([[2, 2, 9, 9]], np.float32)
    out = transforms.augment(pixels, boxes, NONE, np.random.default_rng(0))
    np.testing.assert_array_equal(out.image, pixels)
    np.testing.assert_array_equal(out.boxes, boxes)
