from pathlib import Path

import numpy as np
import pytest

from fgfi_core.data import Example
from fgfi_core.evaluation.detections import NOTHING, ImageDetections
from fgfi_core.evaluation.matching import box_iou, judge


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


def test_iou_of_boxes_without_area_is_zero() -> None:
    point = np.zeros((1, 4))
    assert box_iou(point, point).tolist() == [[0]]


def test_iou_is_shared_over_joint_area() -> None:
    a, b = np.array([[0, 0, 10, 10.0]]), np.array([[5, 0, 15, 10.0]])
    assert box_iou(a, b)[0, 0] == pytest.approx(50 / 150)
