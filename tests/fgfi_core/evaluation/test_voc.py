from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example as hypothesis_example
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.errors import BadData
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.voc import evaluate

Box = tuple[float, float, float, float]


def example(*truths: tuple[int, Box, bool]) -> Example:
    return Example(
        image_id="a",
        path=Path("a.jpg"),
        width=100,
        height=100,
        boxes=np.array([box for _, box, _ in truths], np.float32).reshape(-1, 4),
        labels=np.array([label for label, _, _ in truths], np.int64),
        difficult=np.array([difficult for _, _, difficult in truths], np.bool_),
    )


def detected(*found: tuple[int, Box, float]) -> ImageDetections:
    return ImageDetections(
        boxes=np.array([box for _, box, _ in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, _, score in found], np.float32),
        labels=np.array([label for label, _, _ in found], np.int64),
    )


def area(box: NDArray[Any]) -> float:
    return float((box[2] - box[0] + 1) * (box[3] - box[1] + 1))


def devkit(
    detections: list[ImageDetections], examples: list[Example], label: int, minoverlap: float
) -> tuple[NDArray[Any], NDArray[Any], float, float] | None:
    """The matching of VOCevaldet.m, line by line, on inclusive pixel boxes with their +1."""
    truths: list[dict[str, Any]] = []
    npos = 0
    for ex in examples:
        own = ex.labels == label
        boxes = ex.boxes[own].astype(np.float64) + np.array([1, 1, 0, 0])
        truths.append({"bb": boxes, "diff": ex.difficult[own], "det": np.zeros(int(own.sum()), bool)})
        npos += int((~ex.difficult[own]).sum())
    rows = [
        (i, float(score), box.astype(np.float64) + np.array([1, 1, 0, 0]))
        for i, found in enumerate(detections)
        for box, score, lab in zip(found.boxes, found.scores, found.labels, strict=True)
        if lab == label
    ]
    rows.sort(key=lambda row: -row[1])
    tp, fp = np.zeros(len(rows)), np.zeros(len(rows))
    for d, (i, _, bb) in enumerate(rows):
        ovmax, jmax = -np.inf, -1
        for j, bbgt in enumerate(truths[i]["bb"]):
            bi = [max(bb[0], bbgt[0]), max(bb[1], bbgt[1]), min(bb[2], bbgt[2]), min(bb[3], bbgt[3])]
            iw, ih = bi[2] - bi[0] + 1, bi[3] - bi[1] + 1
            if iw > 0 and ih > 0:
                ua = area(bb) + area(bbgt) - iw * ih
                if iw * ih / ua > ovmax:
                    ovmax, jmax = iw * ih / ua, j
        if ovmax >= minoverlap:
            if not truths[i]["diff"][jmax]:
                tp[d], fp[d] = not truths[i]["det"][jmax], truths[i]["det"][jmax]
                truths[i]["det"][jmax] = True
        else:
            fp[d] = 1
    if npos == 0:
        return None
    return devkit_ap(tp, fp, npos)


def devkit_ap(tp: NDArray[Any], fp: NDArray[Any], npos: int) -> tuple[NDArray[Any], NDArray[Any], float, float]:
    """The second half of VOCevaldet.m, and VOCap.m."""
    # A detection of a difficult box repeats the point before it, which changes neither AP; ours leaves it out.
    counts = (tp + fp) > 0
    fp, tp = np.cumsum(fp)[counts], np.cumsum(tp)[counts]
    rec, prec = tp / npos, tp / (fp + tp)
    ap11 = 0.0
    for t in [k * 0.1 for k in range(11)]:
        beyond = prec[rec >= t]
        ap11 += (beyond.max() if beyond.size else 0) / 11
    mrec, mpre = np.array([0, *rec, 1]), np.array([0, *prec, 0])
    for i in range(len(mpre) - 2, -1, -1):
        mpre[i] = max(mpre[i], mpre[i + 1])
    ap = sum((mrec[i] - mrec[i - 1]) * mpre[i] for i in range(1, len(mrec)) if mrec[i] != mrec[i - 1])
    return rec, prec, float(ap), ap11


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
        result, expected = report.classes[name], devkit(found, examples, label, iou)
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
