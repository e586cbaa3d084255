from pathlib import Path

import numpy as np
import pytest

from fgfi_core.data import Example
from fgfi_core.evaluation.found import NOTHING, ImageDetections
from fgfi_core.evaluation.helped import where_helped
from fgfi_core.evaluation.measure import measure
from fgfi_core.evaluation.report import Evaluation

BOX = np.array([[0, 0, 10, 10]], np.float32)


def example(image_id: str) -> Example:
    return Example(image_id, Path("a.jpg"), 100, 100, BOX, np.array([0]), np.array([False]))


def found(times: int) -> ImageDetections:
    """The box, found so many times."""
    return ImageDetections(np.repeat(BOX, times, axis=0), np.full(times, 0.9, np.float32), np.zeros(times, np.int64))


def evaluation(*times: int, first: str = "a", classes: tuple[str, ...] = ("cell", "ghost")) -> Evaluation:
    examples = [example(chr(ord(first) + i)) for i in range(len(times))]
    return measure([found(n) if n else NOTHING for n in times], examples, classes, {"voc"})


def test_classes_sizes_and_images_are_compared() -> None:
    helped = where_helped(evaluation(1, 0, 1, 0), evaluation(1, 1, 0, 1))
    assert helped.classes["cell"].delta == pytest.approx(0.25)
    assert helped.classes["ghost"].delta is None
    assert helped.sizes["small"].delta == pytest.approx(0.25)
    assert helped.sizes["large"].delta is None
    assert [(one.image_id, one.plain, one.imitated) for one in helped.gained] == [("b", 1, 0), ("d", 1, 0)]
    assert [(one.image_id, one.plain, one.imitated) for one in helped.lost] == [("c", 0, 1)]


def test_images_with_most_come_first() -> None:
    worse, better = evaluation(1, 2, 5, 3), evaluation(1, 1, 1, 1)
    assert [one.image_id for one in where_helped(worse, better).gained] == ["c", "d", "b"]
    assert [one.image_id for one in where_helped(better, worse).lost] == ["c", "d", "b"]


def test_what_was_not_measured_alike_is_not_compared() -> None:
    with pytest.raises(ValueError, match="same images"):
        where_helped(evaluation(1), evaluation(1, first="b"))
    with pytest.raises(ValueError, match="different classes"):
        where_helped(evaluation(1), evaluation(1, classes=("cell",)))
