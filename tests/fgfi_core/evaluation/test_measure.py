import dataclasses
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.evaluation import voc
from fgfi_core.evaluation.found import NOTHING, ImageDetections
from fgfi_core.evaluation.matching import judge
from fgfi_core.evaluation.measure import MAX_POINTS, measure
from fgfi_core.evaluation.report import ERROR_KINDS, Evaluation

Box = tuple[float, float, float, float]
Detect = Callable[[Sequence[Example], int, int], list[ImageDetections]]
CLASSES = ("cell", "plate")


def example(*truths: tuple[int, Box], difficult: Sequence[bool] = (), ignored: Sequence[Box] = ()) -> Example:
    return Example(
        image_id="a",
        path=Path("a.jpg"),
        width=400,
        height=400,
        boxes=np.array([box for _, box in truths], np.float32).reshape(-1, 4),
        labels=np.array([label for label, _ in truths], np.int64),
        difficult=np.array(difficult or [False] * len(truths), np.bool_),
        ignored=np.array(ignored, np.float32).reshape(-1, 4),
    )


def detected(*found: tuple[int, Box, float]) -> ImageDetections:
    return ImageDetections(
        boxes=np.array([box for _, box, _ in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, _, score in found], np.float32),
        labels=np.array([label for label, _, _ in found], np.int64),
    )


def errors(evaluation: Evaluation) -> dict[str, int]:
    return {kind: count for kind, count in evaluation.counts.errors.items() if count}


A, B, FAR = (0.0, 0.0, 10.0, 10.0), (100.0, 0.0, 110.0, 10.0), (300.0, 300.0, 310.0, 310.0)
EMPTY = (200.0, 200.0, 210.0, 210.0)
# IoU with A: 5/15 and 1/19.
SHIFTED, TOUCHING = (5.0, 0.0, 15.0, 10.0), (9.0, 0.0, 19.0, 10.0)


@pytest.mark.parametrize(
    ("false", "kind"),
    [
        ((0, SHIFTED, 0.9), "localisation"),
        ((1, A, 0.9), "class"),
        ((1, SHIFTED, 0.9), "both"),
        ((0, TOUCHING, 0.9), "background"),
        ((1, EMPTY, 0.9), "background"),
        ((0, A, 0.45), "duplicate"),
    ],
)
def test_each_false_detection_is_of_one_kind(false: tuple[int, Box, float], kind: str) -> None:
    # The boxes are found, two of them with the least scores: the thresholds let everything in.
    found = detected((0, A, 0.5), (0, B, 0.4), (1, FAR, 0.4), false)
    evaluation = measure([found], [example((0, A), (0, B), (1, FAR))], CLASSES, {"voc"})
    assert errors(evaluation) == {kind: 1}
    assert evaluation.counts.true == 3


def test_a_box_of_the_own_class_says_more_than_one_of_another() -> None:
    # The cell is looked for on the plate, which covers a part of it.
    found = detected((0, A, 0.4), (1, SHIFTED, 0.4), (0, SHIFTED, 0.9))
    evaluation = measure([found], [example((0, A), (1, SHIFTED))], CLASSES, {"voc"})
    assert errors(evaluation) == {"localisation": 1}


def test_boxes_nobody_found_are_missed_but_for_the_difficult() -> None:
    evaluation = measure(
        [NOTHING], [example((0, A), (1, B), (0, FAR), difficult=[False, False, True])], CLASSES, {"voc"}
    )
    assert errors(evaluation) == {"missed": 2}
    assert evaluation.classes["cell"].counts.errors["missed"] == 1
    assert [(i.true, i.false, i.missed) for i in evaluation.images] == [(0, 0, 2)]


def test_detections_of_difficult_boxes_and_in_ignored_regions_are_counted_as_ignored() -> None:
    found = detected((0, B, 0.9), (0, FAR, 0.9), (0, A, 0.4))
    truth = example((0, A), (0, B), difficult=[False, True], ignored=[FAR])
    evaluation = measure([found], [truth], CLASSES, {"voc"})
    assert (evaluation.counts.true, evaluation.counts.ignored, errors(evaluation)) == (1, 2, {})
    assert evaluation.confusion.counts == ((1, 0, 0), (0, 0, 0), (0, 0, 0))


def test_below_its_classs_threshold_nothing_is_looked_at() -> None:
    found = detected((0, A, 0.9), (0, FAR, 0.2), (0, TOUCHING, 0.1))
    evaluation = measure([found], [example((0, A))], CLASSES, {"voc"})
    assert evaluation.classes["cell"].threshold == pytest.approx(0.9)
    assert (evaluation.counts.true, errors(evaluation)) == (1, {})
    assert evaluation.images[0].false == 0


def test_confusion_matches_whatever_the_class_best_score_first() -> None:
    found = detected((1, A, 0.9), (0, A, 0.4), (1, B, 0.4), (1, FAR, 0.8))
    evaluation = measure([found], [example((0, A), (1, B), (1, (200, 0, 220, 20)))], CLASSES, {"voc"})
    # The cell is taken for a plate by the better score, so its own detection is left without a box.
    assert evaluation.confusion.classes == CLASSES
    assert evaluation.confusion.counts == ((0, 1, 0), (0, 1, 1), (1, 1, 0))


def test_confusion_prefers_the_own_class_where_boxes_are_alike() -> None:
    evaluation = measure([detected((1, A, 0.9), (0, A, 0.8))], [example((0, A), (1, A))], CLASSES, {"voc"})
    assert evaluation.confusion.counts == ((1, 0, 0), (0, 1, 0), (0, 0, 0))


def test_sizes_ignore_what_is_of_another_size() -> None:
    small, medium, large = (0.0, 0.0, 31.0, 32.0), (100.0, 0.0, 132.0, 32.0), (0.0, 100.0, 96.0, 196.0)
    stray = (200.0, 200.0, 220.0, 220.0)
    found = detected((0, stray, 0.9), (0, small, 0.8), (0, large, 0.7))
    sizes = measure([found], [example((0, small), (0, medium), (0, large))], CLASSES, {"voc"}).sizes
    assert [sizes[s].boxes for s in ("small", "medium", "large")] == [1, 1, 1]
    assert [sizes[s].ap50 for s in ("small", "medium", "large")] == [0.5, 0, 1]
    assert [sizes[s].recall for s in ("small", "medium", "large")] == [1, 0, 1]


def test_a_size_without_a_box_is_none() -> None:
    sizes = measure([detected((0, A, 0.9))], [example((0, A))], CLASSES, {"voc"}).sizes
    assert (sizes["large"].boxes, sizes["large"].ap50, sizes["large"].recall) == (0, None, None)


def test_a_boxs_size_is_by_its_objects_area() -> None:
    truth = dataclasses.replace(example((0, (0.0, 0.0, 40.0, 40.0))), area=np.array([500.0]))
    sizes = measure([detected((0, (0.0, 0.0, 40.0, 40.0), 0.9))], [truth], CLASSES, {"voc"}).sizes
    assert (sizes["small"].ap50, sizes["medium"].boxes) == (1, 0)


def test_long_curves_keep_their_ends_and_short_ones_everything() -> None:
    boxes = [(0, (20.0 * (i % 20), 20.0 * (i // 20), 20.0 * (i % 20) + 10, 20.0 * (i // 20) + 10)) for i in range(400)]
    scores = np.linspace(0.9, 0.1, 400)
    found = detected(*[(0, box, s) for (_, box), s in zip(boxes, scores, strict=True)], (0, TOUCHING, 0.05))
    curve = measure([found], [example(*boxes)], CLASSES, {"voc"}).classes["cell"].curve
    assert 100 < len(curve.precision) == len(curve.recall) == len(curve.scores) <= MAX_POINTS
    assert (curve.scores[0], curve.scores[-1]) == pytest.approx((0.9, 0.05))
    assert (curve.recall[0], curve.recall[-1], curve.precision[-1]) == (1 / 400, 1, 400 / 401)
    short = measure([detected((0, A, 0.9), (0, FAR, 0.8))], [example((0, A))], CLASSES, {"voc"}).classes["cell"].curve
    assert short.precision == (1, 0.5)


def test_rules_that_were_not_asked_for_are_left_out() -> None:
    found, truth = detected((0, A, 0.9)), example((0, A))
    evaluation = measure([found], [truth], ["Car"], ["voc07"])
    assert (evaluation.coco, evaluation.kitti, evaluation.classes["Car"].ap) == (None, None, None)
    evaluation = measure([found], [truth], ["Car"], ["coco", "kitti"])
    assert evaluation.coco is not None
    assert evaluation.kitti is not None
    assert evaluation.coco.ap == evaluation.classes["Car"].ap == pytest.approx(1)
    assert list(evaluation.kitti.classes) == ["Car"]


def test_everything_hangs_together_on_real_boxes(kitti_tiny: Path, made_up: Detect) -> None:
    dataset = data.read(kitti_tiny)
    examples = dataset.splits["train"]
    found = made_up(examples, 3, 1)
    evaluation = measure(found, examples, dataset.classes, ("voc07", "voc", "coco", "kitti"))
    assert evaluation.voc.map50 == voc.evaluate(found, examples, dataset.classes).map50
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation
    for kind in ERROR_KINDS:
        assert evaluation.counts.errors[kind] == sum(c.counts.errors[kind] for c in evaluation.classes.values())
    assert evaluation.counts.true == sum(image.true for image in evaluation.images)
    assert evaluation.counts.errors["missed"] == sum(image.missed for image in evaluation.images)
    assert sum(size.boxes for size in evaluation.sizes.values()) == sum(c.boxes for c in evaluation.classes.values())


_box = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 5), st.integers(1, 5)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
_score = st.sampled_from([0.1, 0.5, 0.5, 0.9])


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 1), _box, st.booleans()), max_size=4),
            st.lists(st.tuples(st.integers(0, 1), _box, _score), max_size=6),
            st.lists(_box, max_size=1),
        ),
        max_size=3,
    )
)
def test_whatever_is_found_every_detection_and_box_is_accounted_for_once(
    made: list[tuple[list[tuple[int, Box, bool]], list[tuple[int, Box, float]], list[Box]]],
) -> None:
    examples = [example(*[t[:2] for t in truths], difficult=[t[2] for t in truths], ignored=r) for truths, _, r in made]
    found = [detected(*one) for _, one, _ in made]
    try:
        evaluation = measure(found, examples, CLASSES, {"voc"})
    except BadData:
        assert all(e.difficult.all() for e in examples)
        return
    thresholds = np.array([evaluation.classes[name].threshold for name in CLASSES])
    for image, truth, all_of_it in zip(evaluation.images, examples, found, strict=True):
        kept = all_of_it.scores >= thresholds[all_of_it.labels]
        verdict = judge(ImageDetections(all_of_it.boxes[kept], all_of_it.scores[kept], all_of_it.labels[kept]), truth)
        assert (image.true, image.false, image.missed) == (
            verdict.true.sum(),
            verdict.false.sum(),
            verdict.missed.sum(),
        )
    table = np.array(evaluation.confusion.counts)
    boxes = sum(int((~e.difficult).sum()) for e in examples)
    assert table[:-1].sum() == boxes
    assert evaluation.counts.true + evaluation.counts.errors["missed"] == boxes
    looked_at = sum(int((f.scores >= thresholds[f.labels]).sum()) for f in found)
    false = sum(n for kind, n in evaluation.counts.errors.items() if kind != "missed")
    assert evaluation.counts.true + evaluation.counts.ignored + false == looked_at


def test_a_split_without_a_box_that_counts_is_refused() -> None:
    with pytest.raises(BadData, match="no box that counts"):
        measure([detected((0, A, 0.9))], [example((0, A), difficult=[True])], CLASSES, {"voc", "coco"})
    with pytest.raises(BadData, match="no box that counts"):
        measure([], [], CLASSES, {"voc"})


def test_a_rule_that_does_not_exist_or_does_not_fit_is_refused() -> None:
    with pytest.raises(BadSpec, match=r"has 'lvis'.*voc07, voc, coco, kitti"):
        measure([NOTHING], [example((0, A))], CLASSES, {"voc", "lvis"})
    with pytest.raises(BadSpec, match="not 'cell', 'plate'"):
        measure([NOTHING], [example((0, A))], CLASSES, {"kitti"})


def test_measuring_needs_no_torch() -> None:
    # In a process of its own: here torch may be loaded already.
    program = "import sys; sys.modules['torch'] = None; from fgfi_core.evaluation import gain, helped, measure"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
