from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.report.pictures import PALETTE, draw_detections, draw_region
from fgfi_core.report.roles import ROLES


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    Image.new("RGB", (800, 600), (128, 128, 128)).save(tmp_path / "grey.png")
    return tmp_path / "grey.png"


def one(score: float) -> ImageDetections:
    box = np.array([[100, 200, 400, 500]], np.float32)
    return ImageDetections(box, np.array([score], np.float32), np.array([1], np.int64))


def test_a_detection_is_drawn_where_it_is_in_the_colour_of_its_class(grey: Path) -> None:
    picture = draw_detections(grey, one(0.9), ["a", "b"])
    assert picture.size == (800, 600)
    assert PALETTE[1] in {picture.getpixel((x, 350)) for x in range(96, 106)}
    assert picture.getpixel((250, 350)) == (128, 128, 128)


def test_detections_below_the_threshold_are_not_drawn(grey: Path) -> None:
    picture = draw_detections(grey, one(0.2), ["a", "b"], threshold=0.3)
    assert picture.getcolors() == [(800 * 600, (128, 128, 128))]


def test_small_images_are_enlarged_with_their_boxes(tmp_path: Path) -> None:
    Image.new("RGB", (80, 60), (128, 128, 128)).save(tmp_path / "small.png")
    box = np.array([[10, 20, 40, 50]], np.float32)
    found = ImageDetections(box, np.array([0.9], np.float32), np.array([0], np.int64))
    picture = draw_detections(tmp_path / "small.png", found, ["a"])
    assert picture.size == (640, 480)
    assert PALETTE[0] in {picture.getpixel((x, 300)) for x in range(76, 86)}


def test_a_box_that_leaves_the_image_is_drawn_to_its_border(grey: Path) -> None:
    box = np.array([[-50, -50, 900, 700]], np.float32)
    found = ImageDetections(box, np.array([0.9], np.float32), np.array([0], np.int64))
    assert draw_detections(grey, found, ["a"]).size == (800, 600)


def test_imitated_cells_are_lit_and_the_others_dark(grey: Path) -> None:
    mask = np.zeros((6, 8), np.bool_)
    mask[2, 3] = True
    picture = draw_region(Image.open(grey), [mask], np.zeros((0, 4), np.float32))
    lit, dark = picture.getpixel((350, 250)), picture.getpixel((50, 50))
    assert isinstance(lit, tuple)
    assert isinstance(dark, tuple)
    assert sum(lit) > 300 > sum(dark)
    assert abs(lit[1] - (0.55 * 128 + 0.45 * ROLES["imitated"].colour[1])) < 3


def test_levels_stand_side_by_side(grey: Path) -> None:
    masks = [np.ones((6, 8), np.bool_), np.ones((3, 4), np.bool_)]
    assert draw_region(Image.open(grey), masks, np.zeros((0, 4), np.float32)).size == (1608, 600)
