"""What is wrong with a COCO file is said, and where."""

import copy
import json
from typing import TYPE_CHECKING, Any

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
        ({"ignore": "no"}, "ignore is 'no', not 0 or 1"),
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


def test_another_size_than_the_images_is_doubted(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.content()["images"][0]["width"] = -640
    coco.write()
    assert problems(coco) == [
        f"warning {FILE}: images[0] (id 1): says -640x80, the image is 100x80; do the boxes fit it?"
    ]


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
