"""The real data sets, each with the counts that its page tells; FGFI_DATA names their folder."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fgfi_core import data
from fgfi_core.data import Dataset, Example, Problem


@cache
def read(folder: Path) -> Dataset:
    """Each set once for all tests: nobody changes it."""
    return data.read(folder)


def distinct(dataset: Dataset) -> Sequence[Example]:
    return list({example.image_id: example for split in dataset.splits.values() for example in split}.values())


def per_class(dataset: Dataset) -> dict[str, int]:
    labels = np.concatenate([example.labels for example in distinct(dataset)])
    return dict(zip(dataset.classes, np.bincount(labels, minlength=len(dataset.classes)).tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "format_", "splits", "images"),
    [
        ("bccd", "voc", {"train": 205, "val": 87, "trainval": 292, "test": 72}, 364),
        ("deeppcb", "coco", {"trainval": 1000, "test": 500}, 1500),
        ("kitti_tiny", "kitti", {"train": 50, "val": 25}, 75),
        ("voc2012_100", "voc", {"train": 70, "val": 30}, 100),
        ("tiny_coco", "coco", {"train2017": 50, "val2017": 50}, 100),
    ],
)
def test_each_has_its_splits(real_data: Path, name: str, format_: str, splits: dict[str, int], images: int) -> None:
    dataset = read(real_data / name)
    assert dataset.format == format_
    assert {split: len(examples) for split, examples in dataset.splits.items()} == splits
    assert len(distinct(dataset)) == images


@pytest.mark.parametrize("name", ["deeppcb", "kitti_tiny", "voc2012_100", "tiny_coco"])
def test_nothing_is_wrong_with_the_others(real_data: Path, name: str) -> None:
    assert read(real_data / name).problems == ()


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("bccd", "trainval", "test"),
        ("bccd", "train", "val"),
        ("deeppcb", "trainval", "test"),
        ("kitti_tiny", "train", "val"),
        ("voc2012_100", "train", "val"),
        ("tiny_coco", "train2017", "val2017"),
    ],
)
def test_what_is_measured_is_not_what_is_learned(real_data: Path, name: str, one: str, other: str) -> None:
    assert read(real_data / name).shared(one, other) == frozenset()


def test_bccd_has_its_boxes_but_for_two_without_area(real_data: Path) -> None:
    dataset = read(real_data / "bccd")
    # 4,155 red cells stand in the files: two of them are single points.
    assert per_class(dataset) == {"Platelets": 361, "RBC": 4155 - 2, "WBC": 372}
    assert dataset.problems == (
        Problem(
            "warning", "Annotations/BloodImage_00343.xml", 55, "box of 'RBC' (181, 329, 181, 329) has no area; dropped"
        ),
        Problem(
            "warning", "Annotations/BloodImage_00338.xml", 163, "box of 'RBC' (504, 337, 504, 337) has no area; dropped"
        ),
    )


def test_bccd_is_of_one_size(real_data: Path) -> None:
    assert {(example.width, example.height) for example in distinct(read(real_data / "bccd"))} == {(640, 480)}


def test_deeppcb_has_its_boxes(real_data: Path) -> None:
    counts = per_class(read(real_data / "deeppcb"))
    assert list(counts) == ["open", "short", "mousebite", "spur", "copper", "pin-hole"]
    assert list(counts.values()) == [1942, 1506, 1965, 1625, 1474, 1501]
    assert sum(counts.values()) == 10_013


def test_kitti_has_its_objects_of_each_type(real_data: Path) -> None:
    dataset = read(real_data / "kitti_tiny")
    examples = distinct(dataset)
    labels = np.concatenate([example.labels for example in examples])
    difficult = np.concatenate([example.difficult for example in examples])
    assert dict(zip(dataset.classes, np.bincount(labels[~difficult]).tolist(), strict=True)) == {
        "Car": 209,
        "Pedestrian": 36,
        "Cyclist": 14,
    }
    # Vans and sitting persons are difficult cars and pedestrians.
    assert np.bincount(labels[difficult]).tolist() == [25, 5]
    regions = sum(len(example.ignored) for example in examples)
    assert regions == 188
    assert dataset.background == {"Truck": 10, "Tram": 9, "Misc": 3}
    assert len(labels) + regions + sum(dataset.background.values()) == 499


def test_voc2012_has_its_boxes_and_difficult_ones(real_data: Path) -> None:
    dataset = read(real_data / "voc2012_100")
    counts = per_class(dataset)
    assert (len(counts), sum(counts.values())) == (20, 273)
    assert (counts["person"], counts["aeroplane"], counts["cat"]) == (91, 15, 5)
    assert sum(int(example.difficult.sum()) for example in distinct(dataset)) == 38


def test_tiny_coco_has_its_boxes_and_names_its_crowds(real_data: Path) -> None:
    dataset = read(real_data / "tiny_coco")
    assert len(dataset.classes) == 80
    boxes, crowds = {}, {}
    for name, split in dataset.splits.items():
        labels = np.concatenate([example.labels for example in split])
        crowd = np.concatenate([example.crowd for example in split])
        boxes[name] = (len(labels), len(np.unique(labels)))
        crowds[name] = sorted(dataset.classes[label] for label in labels[crowd])
    assert boxes == {"train2017": (470, 49), "val2017": (382, 48)}
    assert crowds == {
        "train2017": ["book", "person", "person", "person", "spoon"],
        "val2017": ["book", "person", "person", "person", "person"],
    }
    assert sum(not len(example.boxes) for example in distinct(dataset)) == 3


def test_cocos_boxes_and_areas_are_those_of_its_file(real_data: Path) -> None:
    content = json.loads((real_data / "tiny_coco/annotations/instances_val2017.json").read_text())
    names = {image["id"]: f"val2017/{image['file_name']}" for image in content["images"]}
    classes = {category["id"]: category["name"] for category in content["categories"]}
    dataset = read(real_data / "tiny_coco")
    for example in dataset.splits["val2017"]:
        own = [a for a in content["annotations"] if names[a["image_id"]] == example.image_id]
        assert [dataset.classes[label] for label in example.labels] == [classes[a["category_id"]] for a in own]
        assert example.area.tolist() == [a["area"] for a in own]
        sides = np.array([a["bbox"] for a in own]).reshape(-1, 4)
        assert np.allclose(example.boxes, np.hstack([sides[:, :2], sides[:, :2] + sides[:, 2:]]), atol=1e-4)
