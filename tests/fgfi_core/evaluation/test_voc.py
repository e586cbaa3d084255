from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example as hypothesis_example
from hypothesis import given
from hypothesis import strategies as st

from bench import voc_reference
from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.errors import BadData
from fgfi_core.evaluation.found import ImageDetections
from fgfi_core.evaluation.voc import evaluate

Box = tuple[float, float, float, float]


def example(*truths: tuple[int, Box, bool], ignored: Sequence[Box] = ()) -> Example:
    return Example(
        image_id="a",
        path=Path("a.jpg"),
        width=100,
        height=100,
        boxes=np.array([box for _, box, _ in truths], np.float32).reshape(-1, 4),
        labels=np.array([label for label, _, _ in truths], np.int64),
        difficult=np.array([difficult for _, _, difficult in truths], np.bool_),
        ignored=np.array(ignored, np.float32).reshape(-1, 4),
    )


def detected(*found: tuple[int, Box, float]) -> ImageDetections:
    return ImageDetections(
        boxes=np.array([box for _, box, _ in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, _, score in found], np.float32),
        labels=np.array([label for label, _, _ in found], np.int64),
    )


# Whole pixels in a small space, and few scores, so that overlaps, ties and doubles are common.
_corner = st.integers(0, 6)
_box = st.tuples(_corner, _corner, st.integers(1, 5), st.integers(1, 5)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
_score = st.sampled_from([0.1, 0.5, 0.5, 0.9, 0.95])
_image = st.tuples(
    st.lists(st.tuples(st.integers(0, 1), _box, st.booleans()), max_size=4).map(lambda t: example(*t)),
    st.lists(st.tuples(st.integers(0, 1), _box, _score), max_size=6).map(lambda t: detected(*t)),
)


@given(st.lists(_image, max_size=3), st.sampled_from([0.3, 0.5, 0.7]))
@hypothesis_example(
    # A difficult box found between others.
    images=[
        (
            example((0, (0, 0, 1, 1), False), (0, (0, 0, 2, 1), True)),
            detected((0, (0, 0, 1, 1), 0.1), (0, (0, 0, 2, 1), 0.1)),
        )
    ],
    iou=0.3,
)
def test_equals_the_devkits_rule_written_out(images: list[tuple[Example, ImageDetections]], iou: float) -> None:
    examples, found = [e for e, _ in images], [d for _, d in images]
    report = evaluate(found, examples, ["zero", "one"], iou)
    for label, name in enumerate(["zero", "one"]):
        result, expected = report.classes[name], voc_reference.devkit(found, examples, label, iou)
        if expected is None:
            assert result.ap is None
            assert result.ap_11 is None
            continue
        rec, prec, ap, ap11 = expected
        np.testing.assert_allclose(result.recall, rec, rtol=1e-12)
        np.testing.assert_allclose(result.precision, prec, rtol=1e-12)
        assert result.ap == pytest.approx(ap, abs=1e-12)
        assert result.ap_11 == pytest.approx(ap11, abs=1e-12)


def test_ground_truth_as_detections_scores_one(voc2012: Path) -> None:
    dataset = data.read(voc2012)
    examples = dataset.splits["val"]
    found = [ImageDetections(e.boxes, np.full(len(e.labels), 0.9, np.float32), e.labels) for e in examples]
    score = evaluate(found, examples, dataset.classes).to_score()
    assert score.map50 == pytest.approx(1)
    assert score.map50_11 == pytest.approx(1)
    assert [ap for ap in score.ap50.values() if ap is not None] == pytest.approx([1] * 18)


def test_a_second_detection_of_a_box_is_false() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    report = evaluate([detected((0, box, 0.9), (0, box, 0.8))], [example((0, box, False))], ["cell"])
    assert report.classes["cell"].precision.tolist() == [1, 0.5]


def test_a_detection_of_a_difficult_box_counts_as_nothing() -> None:
    easy, hard = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)
    report = evaluate(
        [detected((0, hard, 0.9), (0, easy, 0.8))], [example((0, easy, False), (0, hard, True))], ["cell"]
    )
    assert report.classes["cell"].precision.tolist() == [1]
    assert report.classes["cell"].boxes == 1


def test_a_stray_inside_a_region_that_does_not_count_is_neither_true_nor_false() -> None:
    box, region = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 90.0, 90.0)
    half, less = (45.0, 60.0, 55.0, 70.0), (44.0, 60.0, 54.0, 70.0)
    truth = example((0, box, False), ignored=[region])
    assert evaluate([detected((0, half, 0.9), (0, box, 0.8))], [truth], ["cell"]).classes[
        "cell"
    ].precision.tolist() == [1]
    assert evaluate([detected((0, less, 0.9), (0, box, 0.8))], [truth], ["cell"]).map50 == 0.5


def test_a_box_inside_such_a_region_is_found_as_anywhere() -> None:
    box, region = (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 50.0, 50.0)
    report = evaluate([detected((0, box, 0.9), (0, box, 0.8))], [example((0, box, False), ignored=[region])], ["cell"])
    assert report.classes["cell"].precision.tolist() == [1, 0.5]


def test_a_class_without_a_box_is_left_out_of_the_mean() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    report = evaluate([detected((0, box, 0.9), (1, box, 0.9))], [example((0, box, False))], ["cell", "ghost"])
    assert report.map50 == 1
    assert report.to_score().ap50 == {"cell": 1, "ghost": None}


def test_a_class_that_was_never_detected_scores_zero() -> None:
    report = evaluate([detected()], [example((0, (0.0, 0.0, 10.0, 10.0), False))], ["cell"])
    assert (report.map50, report.map50_11) == (0, 0)


def test_a_split_without_boxes_cannot_be_scored() -> None:
    with pytest.raises(BadData, match="no box that counts"):
        evaluate([detected()], [example()], ["cell"]).to_score()


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="1 images with detections for 0 examples"):
        evaluate([detected()], [], ["cell"])
