import dataclasses
from pathlib import Path

import numpy as np

from fgfi_core.data import Example
from fgfi_core.evaluation.found import NOTHING, ImageDetections
from fgfi_core.evaluation.matching import judge


def example() -> Example:
    boxes = np.array([[0, 0, 10, 10], [50, 50, 60, 60], [80, 0, 90, 10]], np.float32)
    hard = np.array([False, False, True])
    return Example("a", Path("a.jpg"), 100, 100, boxes, np.array([0, 0, 0]), hard)


def test_doubles_strays_and_other_classes_are_false_and_difficult_boxes_neither() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [30, 30, 40, 40], [50, 50, 60, 60], [80, 0, 90, 10]], np.float32)
    found = ImageDetections(boxes, np.array([0.5, 0.9, 0.8, 0.7, 0.6], np.float32), np.array([0, 0, 0, 1, 0]))
    verdict = judge(found, example())
    assert verdict.true.tolist() == [False, True, False, False, False]
    assert verdict.false.tolist() == [True, False, True, True, False]
    assert verdict.missed.tolist() == [False, True, False]


def test_without_detections_every_box_but_the_difficult_is_missed() -> None:
    assert judge(NOTHING, example()).missed.tolist() == [True, True, False]


def test_a_stray_inside_a_region_that_does_not_count_is_neither() -> None:
    region = np.array([[20, 20, 45, 45]], np.float32)
    truth = dataclasses.replace(example(), ignored=region)
    boxes = np.array([[30, 30, 40, 40], [40, 40, 60, 60]], np.float32)
    verdict = judge(ImageDetections(boxes, np.array([0.9, 0.8], np.float32), np.array([0, 0])), truth)
    assert verdict.true.tolist() == [False, False]
    assert verdict.false.tolist() == [False, True]
