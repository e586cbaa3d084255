import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgfi_core import data
from fgfi_core.data import Example, check
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.data.conftest import CocoFolder

FILE = "annotations/instances_train.json"


def train(coco: "CocoFolder") -> tuple[Example, ...]:
    return data.read(coco.root).splits["train"]


def problems(coco: "CocoFolder") -> list[str]:
    return [f"{problem.severity} {problem}" for problem in data.scan(coco.root).problems]


def test_boxes_become_corners(coco: "CocoFolder") -> None:
    coco.add("a.png", (10, 20.5, 30, 40))
    assert train(coco)[0].boxes.tolist() == [[10, 20.5, 40, 60.5]]
    assert train(coco)[0].boxes.dtype == np.float32


def test_boxes_go_to_their_images_in_whatever_order_they_come(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5), (2, 2, 5, 5))
    coco.add("none.png")
    coco.add("b.png", (3, 3, 5, 5), (4, 4, 5, 5))
    annotations = coco.content()["annotations"]
    annotations[:] = [annotations[i] for i in (3, 0, 2, 1)]
    coco.write()
    assert [example.boxes[:, 0].tolist() for example in train(coco)] == [[1, 2], [], [4, 3]]


def test_classes_are_the_categories_in_order_of_id(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5), category_id=30)
    coco.content()["categories"] = [{"id": 30, "name": "zebra"}, {"id": 7, "name": "ant"}]
    coco.write()
    assert data.read(coco.root).classes == ("ant", "zebra")
    assert train(coco)[0].labels.tolist() == [1]


def test_classes_are_those_of_all_files(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png", (1, 1, 5, 5), split="val", category_id=2)
    coco.content("val")["categories"] = [{"id": 2, "name": "between"}]
    coco.write()
    dataset = data.read(coco.root)
    assert dataset.classes == ("cell", "between", "dot")
    assert dataset.splits["val"][0].labels.tolist() == [1]


@pytest.mark.parametrize(
    ("category", "message"),
    [
        ({"id": 1, "name": "cat"}, "category 1 is 'cell' in annotations/instances_train.json and 'cat' in "),
        ({"id": 9, "name": "cell"}, "category 'cell' has the id 1 in annotations/instances_train.json and 9 in "),
    ],
)
def test_files_that_disagree_about_a_category_are_both_named(
    coco: "CocoFolder", category: dict[str, Any], message: str
) -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png", split="val")
    coco.content("val")["categories"] = [category]
    coco.write()
    with pytest.raises(BadData) as caught:
        data.scan(coco.root)
    assert caught.value.message == f"{message}annotations/instances_val.json."


def test_a_crowd_is_difficult(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 50, 50), iscrowd=1)
    coco.add("b.png", (1, 1, 5, 5))
    first, second = train(coco)
    assert (first.crowd.tolist(), first.difficult.tolist()) == ([True], [True])
    assert (second.crowd.tolist(), second.difficult.tolist()) == ([False], [False])


def test_areas_are_the_outlines_where_they_are_known(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5), area=12.5)
    coco.add("b.png", (1, 1, 5, 5))
    assert [example.area.tolist() for example in train(coco)] == [[12.5], [25]]


def test_an_image_without_annotations_is_a_background_image(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("none.png")
    assert train(coco)[1].boxes.shape == (0, 4)


@pytest.mark.parametrize("folder", ["train", "images/train", "images", "."])
def test_images_are_found_where_they_usually_are(coco: "CocoFolder", folder: str) -> None:
    coco.add("a.png", (1, 1, 5, 5), folder=folder)
    assert train(coco)[0].path.relative_to(coco.root).as_posix() == Path(folder, "a.png").as_posix()


def test_a_file_may_be_named_for_its_split_alone(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.file().rename(coco.root / "annotations/train.json")
    (coco.root / "annotations/captions_train.json").write_text("no boxes in here")
    assert set(data.read(coco.root).splits) == {"train"}


def test_two_files_of_one_split_are_refused(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    (coco.root / "annotations/train.json").write_bytes(coco.file().read_bytes())
    expected = r"annotations/instances_train\.json and annotations/train\.json are both of the split 'train'"
    with pytest.raises(BadData, match=expected):
        data.scan(coco.root)


def test_equal_ids_of_different_images_in_two_splits_are_not_shared(coco: "CocoFolder") -> None:
    assert coco.add("a.png", (1, 1, 5, 5)) == coco.add("a.png", (1, 1, 5, 5), split="val")
    assert data.read(coco.root).shared("train", "val") == frozenset()


def test_one_file_in_two_splits_is_shared(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5), folder="images")
    coco.add("./a.png", (1, 1, 5, 5), folder="images", split="val")
    assert data.read(coco.root).shared("train", "val") == {"images/a.png"}


def test_sizes_come_from_the_images_without_decoding_them(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    del coco.content()["images"][0]["width"], coco.content()["images"][0]["height"]
    coco.write()
    image = coco.root / "train/a.png"
    image.write_bytes(image.read_bytes()[:2000])
    assert (train(coco)[0].width, train(coco)[0].height) == (100, 80)
    assert problems(coco) == []


def test_another_size_than_the_images_is_doubted(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.content()["images"][0]["width"] = -640
    coco.write()
    assert problems(coco) == [
        f"warning {FILE}: images[0] (id 1): says -640x80, the image is 100x80; do the boxes fit it?"
    ]


def test_boxes_across_the_border_and_without_area_are_mended(coco: "CocoFolder") -> None:
    coco.add("a.png", (90, 70, 30, 25), (150, 10, 20, 20), (5, 5, -3, 4), (99.5, 10, 1, 1))
    assert train(coco)[0].boxes.tolist() == [[90, 70, 100, 80], [99.5, 10, 100, 11]]
    assert problems(coco) == [
        f"warning {FILE}: annotations[0] (id 100): bbox (90, 70, 30, 25) leaves 100x80; clipped",
        f"warning {FILE}: annotations[1] (id 101): bbox (150, 10, 20, 20) lies outside 100x80; dropped",
        f"warning {FILE}: annotations[2] (id 102): bbox (5, 5, -3, 4) has no area; dropped",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bbox": [1, 2, 3]}, "bbox [1, 2, 3] is not four numbers"),
        ({"bbox": [1, 2, 3, "4"]}, "bbox [1, 2, 3, '4'] is not four numbers"),
        ({"bbox": [1, 2, 3, True]}, "bbox [1, 2, 3, True] is not four numbers"),
        ({"bbox": [1, 2, 3, float("nan")]}, "bbox [1, 2, 3, nan] is not four numbers"),
        ({"bbox": [1, 2, 3, 10**400]}, "is not four numbers"),
        ({"bbox": None}, "bbox None is not four numbers"),
        ({"category_id": 2}, "category_id 2 is not among the categories"),
        ({"category_id": True}, "category_id True is not among the categories"),
        ({"category_id": [1]}, "category_id [1] is not among the categories"),
        ({"iscrowd": "no"}, "iscrowd is 'no', not 0 or 1"),
        ({"image_id": None}, "image_id is None, not a whole number"),
        ({"image_id": [1]}, "image_id is [1], not a whole number"),
    ],
)
def test_a_broken_annotation_is_named_by_number_and_id(
    coco: "CocoFolder", change: dict[str, Any], message: str
) -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png", (1, 1, 5, 5), id=4711)
    coco.content()["annotations"][1].update(change)
    coco.write()
    with pytest.raises(BadData, match="1 unusable entry") as caught:
        data.read(coco.root)
    assert f"{FILE}: annotations[1] (id 4711): " in str(caught.value)
    assert message in str(caught.value)


def test_an_image_with_a_broken_annotation_is_left_out_whole(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png", (1, 1, 5, 5), (2, 2, 5, 5))
    coco.content()["annotations"][2]["bbox"] = "none"
    coco.write()
    assert [example.image_id for example in data.scan(coco.root).splits["train"]] == ["train/a.png"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": 1}, "images[1] (id 1): images[0] has the same id"),
        ({"id": 1.5}, "images[1] (id 1.5): the id is not a whole number"),
        ({"file_name": "a.png"}, "images[1] (id 2): images[0] is of the same file 'a.png'"),
        ({"file_name": None}, "images[1] (id 2): file_name is None, not a name"),
        ({"file_name": "c.png"}, "images[1] (id 2): there is no file 'c.png' in train/, images/train/, images/"),
        ({"file_name": "../a.png"}, "images[1] (id 2): 'train/../a.png' points outside the data set"),
        ({"file_name": "/a.png"}, "images[1] (id 2): '/a.png' points outside the data set"),
        ({"file_name": "train\\b.png"}, "has backslashes"),
        ({"file_name": "a\0.png"}, "there is no file 'a\\x00.png'"),
        ({"file_name": "\ud800.png"}, "is a name that is not UTF-8"),
    ],
)
def test_an_image_that_cannot_be_used_is_named_and_left_out(
    coco: "CocoFolder", change: dict[str, Any], message: str
) -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png")
    coco.content()["images"][1].update(change)
    coco.write()
    (problem,) = problems(coco)
    assert problem.startswith(f"error {FILE}: ")
    assert message in problem
    assert [example.image_id for example in data.scan(coco.root).splits["train"]] == ["train/a.png"]


def test_a_link_out_of_the_folder_is_not_followed(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png")
    image = coco.root / "train/b.png"
    image.rename(coco.root.parent / "b.png")
    image.symlink_to(coco.root.parent / "b.png")
    (problem,) = problems(coco)
    assert "images[1] (id 2): train/b.png: is reached by a link that leads out of the data set" in problem


def test_a_file_that_is_no_image_is_named(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png")
    (coco.root / "train/b.png").write_text("not pixels")
    (problem,) = problems(coco)
    assert problem.startswith("error train/b.png: not an image in a format we read")


def test_annotations_of_images_that_are_not_there_are_dropped_with_one_word(coco: "CocoFolder") -> None:
    coco.add("a.png", *[(1, 1, 5, 5)] * 4)
    for annotation in coco.content()["annotations"][1:]:
        annotation["image_id"] = 99
    coco.write()
    assert len(train(coco)[0].boxes) == 1
    assert problems(coco) == [
        f"warning {FILE}: annotations[1] (id 101) and 2 more are of no image in 'images'; dropped"
    ]


def test_annotations_of_one_id_are_kept_with_one_word(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5), (2, 2, 5, 5), id=7)
    assert len(train(coco)[0].boxes) == 2
    assert problems(coco) == [f"warning {FILE}: annotations[1] (id 7) is of an id that an earlier one has; kept"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"images": [],\n "annotations": oops}', r"train\.json:2: is not JSON: Expecting value \(column 17\)"),
        (b"", r"train\.json:1: is not JSON: Expecting value \(column 1\)"),
        (b'{"images": ["\xff"]}', r"train\.json: cannot be read as text: byte 13 is not UTF-8"),
        (b"[" * 100_000, r"train\.json: is nested too deeply"),
        (b"9" * 5000, r"train\.json: cannot be read: Exceeds the limit"),
        (b"[]", r"train\.json: has no list 'categories'"),
        (b'{"categories": [], "images": [], "annotations": {}}', r"has no list 'annotations'"),
        (b'{"categories": [{"id": "1", "name": "a"}], "images": [], "annotations": []}', "not a whole number"),
        (b'{"categories": [{"id": 1, "name": 5}], "images": [], "annotations": []}', r"\(id 1\): 5 is not a name"),
        (b'{"categories": [{"id": 1, "name": "\\ud800"}], "images": [], "annotations": []}', "is not a name"),
        (
            b'{"categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}], "images": [], "annotations": []}',
            r"categories\[1\] \(id 2\): another category has this id or the name 'a'",
        ),
        (b'{"categories": [], "images": [], "annotations": []}', r"train\.json: no usable image in this split"),
    ],
)
def test_a_file_that_is_not_cocos_is_refused(coco: "CocoFolder", content: bytes, message: str) -> None:
    coco.file().write_bytes(content)
    with pytest.raises(BadData, match=message):
        data.scan(coco.root)


def test_data_without_any_box_are_refused(coco: "CocoFolder") -> None:
    coco.add("a.png")
    with pytest.raises(BadData, match="no usable box in any image"):
        data.scan(coco.root)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=4)
    | st.sampled_from([10**400, -1e308, "../a.png", "/etc/hostname", "a.png", "", 1, 2]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_stands_in_a_file_is_read_or_refused_in_words(coco: "CocoFolder", draw: st.DataObject) -> None:
    if not coco.splits:
        coco.add("a.png", (1, 1, 5, 5), (2, 2, 5, 5))
        coco.add("b.png", (1, 1, 5, 5))
    content: Any = copy.deepcopy(coco.content())
    for _ in range(draw.draw(st.integers(1, 3))):
        holder, key = content, draw.draw(st.sampled_from(sorted(content)))
        while isinstance(holder[key], dict | list) and holder[key] and draw.draw(st.integers(0, 5)):
            holder = holder[key]
            key = draw.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        holder[key] = draw.draw(ODD)
    coco.file().write_text(json.dumps(content))
    try:
        report = check(coco.root)
    except BadData as refused:
        said = refused.message
    else:
        said = report.model_dump_json()
    assert said


def test_coco_has_its_known_counts(real_data: Path) -> None:
    dataset = data.read(real_data / "tiny_coco")
    assert len(dataset.classes) == 80
    counts = {}
    for name, split in dataset.splits.items():
        labels = np.concatenate([example.labels for example in split])
        crowds = sum(int(example.crowd.sum()) for example in split)
        counts[name] = (len(split), len(labels), len(np.unique(labels)), crowds)
    assert counts == {"train2017": (50, 470, 49, 5), "val2017": (50, 382, 48, 5)}
    assert sum(not len(example.boxes) for split in dataset.splits.values() for example in split) == 3
    assert dataset.shared("train2017", "val2017") == frozenset()
    assert dataset.problems == ()


def test_cocos_boxes_and_areas_are_those_of_its_file(real_data: Path) -> None:
    content = json.loads((real_data / "tiny_coco/annotations/instances_val2017.json").read_text())
    names = {image["id"]: f"val2017/{image['file_name']}" for image in content["images"]}
    classes = {category["id"]: category["name"] for category in content["categories"]}
    dataset = data.read(real_data / "tiny_coco")
    for example in dataset.splits["val2017"]:
        own = [a for a in content["annotations"] if names[a["image_id"]] == example.image_id]
        assert [dataset.classes[label] for label in example.labels] == [classes[a["category_id"]] for a in own]
        assert example.area.tolist() == [a["area"] for a in own]
        sides = np.array([a["bbox"] for a in own]).reshape(-1, 4)
        assert np.allclose(example.boxes, np.hstack([sides[:, :2], sides[:, :2] + sides[:, 2:]]), atol=1e-4)


def test_deeppcb_has_its_known_counts(real_data: Path) -> None:
    dataset = data.read(real_data / "deeppcb")
    assert dataset.classes == ("open", "short", "mousebite", "spur", "copper", "pin-hole")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"trainval": 1000, "test": 500}
    assert sum(len(example.boxes) for split in dataset.splits.values() for example in split) == 10_013
    assert dataset.shared("trainval", "test") == frozenset()
    assert dataset.problems == ()
