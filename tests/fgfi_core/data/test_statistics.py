from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fgfi_core.data import Example
from fgfi_core.data.statistics import describe, gather, tiny_at

CLASSES = ("cell", "dot")


def example(
    *sides: tuple[float, float], labels: tuple[int, ...] = (), size: tuple[int, int] = (200, 200), **more: Any
) -> Example:
    """An image with boxes of these widths and heights, of the first class where no labels are given."""
    boxes = np.array([[0, 0, width, height] for width, height in sides], np.float32).reshape(-1, 4)
    kinds = np.array(labels or [0] * len(sides), np.int64)
    return Example("a", Path("a.png"), *size, boxes, kinds, np.zeros(len(sides), np.bool_), **more)


def test_a_size_begins_at_cocos_bound() -> None:
    sizes = describe(gather([example((32, 31.9), (32, 32), (96, 95.9), (96, 96))]), CLASSES).sizes
    assert (sizes.small, sizes.medium, sizes.large) == (1, 2, 1)


def test_a_size_is_that_of_the_outline_where_it_is_known() -> None:
    sizes = describe(gather([example((100, 100), area=np.array([1000.0]))]), CLASSES).sizes
    assert (sizes.small, sizes.large) == (1, 0)


def test_sizes_are_told_for_each_class_and_for_one_without_a_box() -> None:
    described = describe(gather([example((10, 10), (100, 100), labels=(1, 1))]), CLASSES)
    assert described.sizes_per_class["dot"].model_dump() == {"small": 1, "medium": 0, "large": 1}
    assert described.sizes_per_class["cell"].model_dump() == {"small": 0, "medium": 0, "large": 0}


@pytest.mark.parametrize(
    ("sides", "start"), [((10, 100), 0), ((25, 100), 0.25), ((50, 50), 0.8), ((80, 40), 2), ((100, 20), 4)]
)
def test_an_aspect_ratio_is_width_over_height(sides: tuple[float, float], start: float) -> None:
    ratios = describe(gather([example(sides)]), CLASSES).aspect_ratios
    assert [begin for begin, count in zip(ratios.starts, ratios.counts, strict=True) if count] == [start]


def test_images_without_a_box_are_in_the_histogram() -> None:
    images = [example(), example(), example((5, 5)), example(*[(5, 5)] * 4), example(*[(5, 5)] * 200)]
    histogram = describe(gather(images), CLASSES).boxes_per_image
    filled = {start: count for start, count in zip(histogram.starts, histogram.counts, strict=True) if count}
    assert filled == {0: 2, 1: 1, 3: 1, 65: 1}


def test_a_box_is_tiny_when_it_fits_into_a_cell_of_the_resized_image() -> None:
    # Half as wide and as high: 7.5x7.5, 8x4, 4x15.5, 40x40.
    images = [example((15, 15), (16, 8), size=(200, 200)), example((8, 31), (80, 80), labels=(1, 1), size=(200, 200))]
    tiny = tiny_at(gather(images), CLASSES, (100, 100))
    assert [(at.stride, at.boxes, at.share) for at in tiny.strides] == [(8, 1, 0.25), (16, 3, 0.75), (32, 3, 0.75)]
    assert tiny.strides[1].per_class == {"cell": 2, "dot": 1}


def test_each_side_is_resized_by_its_own_factor() -> None:
    tiny = tiny_at(gather([example((40, 10), size=(400, 100))]), CLASSES, (100, 100), strides=(11, 10))
    assert [at.boxes for at in tiny.strides] == [1, 0]


def test_no_boxes_are_none_of_anything() -> None:
    boxes = gather([example()])
    assert describe(boxes, CLASSES).sizes.model_dump() == {"small": 0, "medium": 0, "large": 0}
    assert [at.share for at in tiny_at(boxes, CLASSES, (100, 100)).strides] == [0, 0, 0]
