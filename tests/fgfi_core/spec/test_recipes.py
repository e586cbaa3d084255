from typing import Literal

import pytest

from fgfi_core.spec import DETECTORS, recipes
from fgfi_core.spec.recipes import RECIPES, recipe


def test_every_family_has_a_recipe_and_no_recipe_is_without_a_family() -> None:
    assert set(RECIPES) == {info.family for info in DETECTORS.values()}


def test_the_rate_goes_with_the_square_root_of_the_batch() -> None:
    paper = recipe("shuffledet-1x")
    assert paper.rate(32) == 0.02
    assert paper.rate(8) == 0.01


@pytest.mark.parametrize(
    ("asked", "student", "teachers", "resize"),
    [
        ("auto", "faster-rcnn-vgg11", (1000, 600), "fit"),
        ("auto", "faster-rcnn-resnet18-fpn", (500, 300), "fit"),
        ("auto", "retinanet-resnet18-fpn", (1000, 600), "fit"),
        ("auto", "fcos-resnet18-fpn", (1000, 600), "fit"),
        ("auto", "faster-rcnn-vgg11", (600, 600), "stretch"),
        ("auto", "ssdlite320-mobilenet-v3", (1000, 600), "stretch"),
        ("auto", "shuffledet-0.25x", (1000, 600), "stretch"),
        ("stretch", "faster-rcnn-vgg11", (1000, 600), "stretch"),
        ("fit", "shuffledet-0.25x", (1000, 600), "fit"),
    ],
)
def test_families_that_are_trained_so_keep_the_aspect_ratio(
    asked: Literal["auto", "stretch", "fit"], student: str, teachers: tuple[int, int], resize: str
) -> None:
    assert recipes.resize(asked, student, (1000, 600), teachers) == resize
