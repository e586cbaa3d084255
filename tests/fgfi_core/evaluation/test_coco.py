import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import coco_reference
from bench.coco_reference import Measured
from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.evaluation import coco
from fgfi_core.evaluation.flat import flatten
from fgfi_core.evaluation.found import NOTHING, ImageDetections

Box = tuple[float, float, float, float]


def example(
    *truths: tuple[int, Box], crowd: Sequence[bool] = (), area: Sequence[float] = (), ignored: Sequence[Box] = ()
) -> Example:
    return Example(
        image_id="a",
        path=Path("a.jpg"),
        width=200,
        height=200,
        boxes=np.array([box for _, box in truths], np.float32).reshape(-1, 4),
        labels=np.array([label for label, _ in truths], np.int64),
        difficult=np.array(crowd or [False] * len(truths), np.bool_),
        crowd=np.array(crowd, np.bool_),
        area=np.array(area, np.float64),
        ignored=np.array(ignored, np.float32).reshape(-1, 4),
    )


def detected(*found: tuple[int, Box, float]) -> ImageDetections:
    return ImageDetections(
        boxes=np.array([box for _, box, _ in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, _, score in found], np.float32),
        labels=np.array([label for label, _, _ in found], np.int64),
    )


def assert_equal_to_pycocotools(
    found: Sequence[ImageDetections], examples: Sequence[Example], classes: Sequence[str], expected: Measured
) -> None:
    numbers, by_class = coco.evaluate(flatten(found, examples), classes)
    assert list(numbers.model_dump().values()) == pytest.approx([none(x) for x in expected.stats], abs=1e-9)
    for c, name in enumerate(classes):
        for ours, theirs in zip(by_class[name], (expected.precision, expected.precision[5]), strict=True):
            there = theirs[..., c, 0, 2]
            there = there[there > -1]
            assert ours == pytest.approx(there.mean() if there.size else None, abs=1e-9)


def none(number: float) -> float | None:
    return None if number == -1 else float(number)


def remapped(content: Mapping[str, list[dict[str, object]]], examples: Sequence[Example]) -> dict[str, object]:
    """The file as it is, but for the ids: of images those of the examples' order, of categories their order of id."""
    order = {e.path.name: i for i, e in enumerate(examples)}
    images = {entry["id"]: order[str(entry["file_name"])] for entry in content["images"]}
    categories = {key: i for i, key in enumerate(sorted(int(str(entry["id"])) for entry in content["categories"]))}
    return {
        "images": [{"id": image} for image in images.values()],
        "categories": [{"id": i, "name": str(i)} for i in categories.values()],
        "annotations": [
            {
                **entry,
                "id": i,
                "image_id": images[entry["image_id"]],
                "category_id": categories[int(str(entry["category_id"]))],
            }
            for i, entry in enumerate(content["annotations"], 1)
        ],
    }


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_equals_pycocotools_on_the_real_file(
    tiny_coco: Path, made_up: Callable[[Sequence[Example], int, int], list[ImageDetections]], split: str
) -> None:
    dataset = data.read(tiny_coco)
    examples = dataset.splits[split]
    found = made_up(examples, len(dataset.classes), 7)
    content = json.loads((tiny_coco / "annotations" / f"instances_{split}.json").read_text())
    expected = coco_reference.measure(remapped(content, examples), coco_reference.results_of(found))
    assert any(entry["iscrowd"] for entry in content["annotations"])
    assert (expected.stats > 0.01).all()
    assert_equal_to_pycocotools(found, examples, dataset.classes, expected)


# Small and medium boxes in a small space, few scores: crowds, ties and empty images are common.
_corner, _side = st.integers(0, 3).map(lambda n: 8 * n), st.sampled_from([16, 20, 31, 32, 33, 96, 120])
_box = st.tuples(_corner, _corner, _side, _side).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
_image = st.tuples(
    st.lists(
        st.tuples(st.integers(0, 2), _box, st.booleans(), st.sampled_from([10.0, 1024.0, 9216.0, 1e5])), max_size=4
    ).map(lambda t: example(*[(x[0], x[1]) for x in t], crowd=[x[2] for x in t], area=[x[3] for x in t])),
    st.lists(st.tuples(st.integers(0, 2), _box, st.sampled_from([0.1, 0.5, 0.5, 0.9])), max_size=7).map(
        lambda t: detected(*t)
    ),
)


@settings(max_examples=50)
@given(st.lists(_image, min_size=1, max_size=3))
def test_equals_pycocotools(images: list[tuple[Example, ImageDetections]]) -> None:
    examples, found = [e for e, _ in images], [d for _, d in images]
    # Class 3 is never there.
    expected = coco_reference.measure(coco_reference.truth_of(examples, 4), coco_reference.results_of(found))
    assert_equal_to_pycocotools(found, examples, ["zero", "one", "two", "ghost"], expected)


def test_equals_pycocotools_with_more_than_100_detections_of_an_image() -> None:
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 60, (150, 2))
    boxes = np.hstack([corners, corners + rng.integers(20, 80, (150, 2))]).astype(np.float32)
    truth = example(*[(i % 2, (x1, y1, x2, y2)) for i, (x1, y1, x2, y2) in enumerate(boxes[::6].tolist())])
    found = ImageDetections(boxes, rng.random(150).round(2).astype(np.float32), np.arange(150) // 140)
    expected = coco_reference.measure(coco_reference.truth_of([truth], 2), coco_reference.results_of([found]))
    assert_equal_to_pycocotools([found], [truth], ["zero", "one"], expected)
    assert expected.stats[8] > expected.stats[7] > 0


def test_without_any_box_all_is_none() -> None:
    numbers, by_class = coco.evaluate(
        flatten([detected((0, (0, 0, 9, 9), 0.5)), NOTHING], [example(), example()]), ["a"]
    )
    assert set(numbers.model_dump().values()) == {None}
    assert by_class == {"a": (None, None)}


def test_without_any_detection_all_is_zero() -> None:
    numbers, by_class = coco.evaluate(flatten([NOTHING], [example((0, (0, 0, 9, 9)))]), ["a"])
    assert (numbers.ap, numbers.ar100, numbers.ap_large) == (0, 0, None)
    assert by_class == {"a": (0, 0)}


def test_a_detection_of_a_difficult_box_or_in_a_region_that_does_not_count_is_forgiven() -> None:
    box, other = (0.0, 0.0, 50.0, 50.0), (100.0, 100.0, 150.0, 150.0)
    found = [detected((0, other, 0.9), (0, box, 0.8))]
    hard = dataclasses.replace(example((0, box), (0, other)), difficult=np.array([False, True]))
    region = example((0, box), ignored=[(90, 90, 160, 160)])
    for truth, expected in ((hard, 1), (region, 1), (example((0, box)), 0.5)):
        assert coco.evaluate(flatten(found, [truth]), ["a", "b"])[0].ap == pytest.approx(expected)
