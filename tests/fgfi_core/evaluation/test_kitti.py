from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import kitti_reference
from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.errors import BadSpec
from fgfi_core.evaluation import kitti
from fgfi_core.evaluation.flat import flatten
from fgfi_core.evaluation.found import ImageDetections
from fgfi_core.evaluation.report import DIFFICULTIES, KittiNumbers

CLASSES = ("Car", "Pedestrian", "Cyclist")
Box = tuple[float, float, float, float]


def example(
    boxes: Sequence[Box],
    *,
    labels: Sequence[int] | None = None,
    difficult: Sequence[bool] | None = None,
    occlusion: Sequence[int] = (),
    truncation: Sequence[float] = (),
    ignored: Sequence[Box] = (),
) -> Example:
    return Example(
        image_id="a",
        path=Path("a.png"),
        width=1000,
        height=1000,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        labels=np.array(labels or [0] * len(boxes), np.int64),
        difficult=np.array(difficult or [False] * len(boxes), np.bool_),
        occlusion=np.array(occlusion, np.int64),
        truncation=np.array(truncation, np.float32),
        ignored=np.array(ignored, np.float32).reshape(-1, 4),
    )


def detected(*found: tuple[Box, float], labels: Sequence[int] | None = None) -> ImageDetections:
    return ImageDetections(
        boxes=np.array([box for box, _ in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score in found], np.float32),
        labels=np.array(labels or [0] * len(found), np.int64),
    )


def measure(found: Sequence[ImageDetections], examples: Sequence[Example]) -> KittiNumbers:
    return kitti.evaluate(flatten(found, examples), CLASSES)


def assert_equal_to_the_devkit(found: Sequence[ImageDetections], examples: Sequence[Example]) -> None:
    numbers = measure(found, examples)
    for label, name in enumerate(CLASSES):
        for d, difficulty in enumerate(DIFFICULTIES):
            expected = kitti_reference.precision(found, examples, label, name, d)
            ap11, ap40 = numbers.classes[name].ap11[difficulty], numbers.classes[name].ap40[difficulty]
            if expected is None:
                assert (ap11, ap40) == (None, None)
            else:
                assert ap11 == pytest.approx(sum(expected[::4]) / 11, abs=1e-12)
                assert ap40 == pytest.approx(sum(expected[1:]) / 40, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_devkit_written_out_on_real_boxes(
    kitti_tiny: Path, made_up: Callable[[Sequence[Example], int, int], list[ImageDetections]], seed: int
) -> None:
    examples = [e for split in data.read(kitti_tiny).splits.values() for e in split]
    found = made_up(examples, 3, seed)
    assert measure(found, examples).classes["Car"].ap11["hard"] not in {None, 0}
    assert_equal_to_the_devkit(found, examples)


# Few places, sides around the heights that count, few scores: doubles, ties and overlaps are common.
_box = st.tuples(
    st.integers(0, 2), st.integers(0, 2), st.sampled_from([22, 26, 30]), st.sampled_from([23, 25, 28, 39, 42])
).map(lambda b: (4.0 * b[0], 4.0 * b[1], 4.0 * b[0] + b[2], 4.0 * b[1] + b[3]))
_truth = st.tuples(
    _box,
    st.integers(0, 1),
    st.sampled_from([False, False, True]),
    st.sampled_from([0, 0, 1, 2, 3, -1]),
    st.sampled_from([0, 0.15, 0.3, 0.31, 0.5, 0.9, -1]),
)
_image = st.tuples(
    st.tuples(st.lists(_truth, max_size=4), st.lists(_box, max_size=2)).map(
        lambda made: example(
            [t[0] for t in made[0]],
            labels=[t[1] for t in made[0]],
            difficult=[t[2] for t in made[0]],
            occlusion=[t[3] for t in made[0]],
            truncation=[t[4] for t in made[0]],
            ignored=made[1],
        )
    ),
    st.lists(st.tuples(_box, st.sampled_from([0.1, 0.5, 0.5, 0.9]), st.integers(0, 1)), max_size=6).map(
        lambda made: detected(*[(box, score) for box, score, _ in made], labels=[label for _, _, label in made])
    ),
)


@given(st.lists(_image, max_size=3))
def test_equals_the_devkit_written_out(images: list[tuple[Example, ImageDetections]]) -> None:
    assert_equal_to_the_devkit([found for _, found in images], [truth for truth, _ in images])


@given(st.lists(st.floats(0, 1, width=32), max_size=120), st.integers(0, 200))
def test_thresholds_are_the_devkits(scores: list[float], missed: int) -> None:
    boxes = len(scores) + missed
    assert kitti.thinned(np.array(scores), boxes).tolist() == kitti_reference.thresholds(scores, boxes)


def cars(count: int) -> list[Example]:
    return [example([(0, 0, 100, 50)]) for _ in range(count)]


HIT = ((0.0, 0.0, 100.0, 50.0), 0.9)


def test_forty_one_cars_found_and_nothing_else_are_an_ap_of_one() -> None:
    numbers = measure([detected(HIT)] * 41, cars(41))
    assert numbers.classes["Car"].ap11 == {"easy": 1, "moderate": 1, "hard": 1}
    assert numbers.classes["Car"].ap40 == {"easy": 1, "moderate": 1, "hard": 1}
    assert (numbers.map11, numbers.map40) == (1, 1)


def test_ten_cars_cannot_reach_one_because_there_are_ten_thresholds() -> None:
    numbers = measure([detected(HIT)] * 10, cars(10))
    assert numbers.classes["Car"].ap11["easy"] == pytest.approx(3 / 11)
    assert numbers.classes["Car"].ap40["easy"] == pytest.approx(9 / 40)


def test_half_of_the_boxes_found_is_half_of_the_recalls() -> None:
    # Recalls 1/80 ... 40/80 lie nearest to 0, 1/40 ... 20/40.
    scores = np.linspace(0.9, 0.5, 40)
    found = [detected((HIT[0], s)) for s in scores] + [detected()] * 40
    assert measure(found, cars(80)).classes["Car"].ap40["easy"] == pytest.approx(20 / 40)


def test_a_stray_of_higher_score_than_all_lowers_precision_at_every_threshold() -> None:
    found = [detected(HIT, ((500, 500, 600, 600), 0.95))] + [detected(HIT)] * 40
    # Equal scores: at each threshold all are counted.
    assert measure(found, cars(41)).classes["Car"].ap11["easy"] == pytest.approx(41 / 42)


def with_stray(truth: Example, stray: Box) -> KittiNumbers:
    """41 cars found, and a stray in the first image, which shows this truth."""
    return measure([detected(HIT, (stray, 0.95))] + [detected(HIT)] * 40, [truth, *cars(40)])


VAN, FREE, LOST = (500.0, 500.0, 600.0, 600.0), 1, pytest.approx(41 / 42)


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        (example([HIT[0], VAN], difficult=[False, True]), {"easy": FREE, "moderate": FREE, "hard": FREE}),
        (example([HIT[0]], ignored=[VAN]), {"easy": FREE, "moderate": FREE, "hard": FREE}),
        (example([HIT[0]], ignored=[(500, 500, 570, 600)]), {"easy": LOST, "moderate": LOST, "hard": LOST}),
        (example([HIT[0], VAN], occlusion=[0, 3]), {"easy": FREE, "moderate": FREE, "hard": FREE}),
        (example([HIT[0], VAN], truncation=[0, 0.6]), {"easy": FREE, "moderate": FREE, "hard": FREE}),
        (example([HIT[0], VAN], labels=[0, 1]), {"easy": LOST, "moderate": LOST, "hard": LOST}),
    ],
    ids=["van", "dontcare", "70 % in dontcare", "occluded", "truncated", "pedestrian"],
)
def test_what_is_forgiven_and_what_is_not(truth: Example, expected: dict[str, object]) -> None:
    assert with_stray(truth, VAN).classes["Car"].ap11 == expected


@pytest.mark.parametrize(
    ("height", "expected"), [(39, {"easy": 1, "moderate": 41 / 42}), (24, {"easy": 1, "moderate": 1})]
)
def test_strays_that_are_not_high_enough_are_forgiven(height: float, expected: dict[str, float]) -> None:
    ap = with_stray(cars(1)[0], (500, 500, 600, 500 + height)).classes["Car"].ap11
    assert {"easy": ap["easy"], "moderate": ap["moderate"]} == pytest.approx(expected)


def test_a_box_counts_from_the_difficulty_that_allows_it() -> None:
    truth = example([HIT[0], VAN], labels=[1, 0], occlusion=[0, 1])
    assert measure([detected()], [truth]).classes["Car"].ap11 == {"easy": None, "moderate": 0, "hard": 0}


def test_a_truncation_written_as_the_limit_is_within_it() -> None:
    truths = [example([HIT[0]], truncation=[0.15])] * 41
    assert measure([detected(HIT)] * 41, truths).classes["Car"].ap11["easy"] == 1


def test_nothing_to_measure_is_none() -> None:
    numbers = measure([detected(HIT)], [example([])])
    assert numbers.map11 is None
    assert numbers.classes["Cyclist"].ap40 == {"easy": None, "moderate": None, "hard": None}


def test_other_classes_are_refused_by_name() -> None:
    with pytest.raises(BadSpec, match=r"not 'Tram'.*Leave 'kitti' out"):
        kitti.evaluate(flatten([], []), ("car", "Tram"))
