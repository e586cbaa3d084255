"""What COCO's annotations mean: boxes, classes, crowds, areas."""

from typing import TYPE_CHECKING

import numpy as np

from fgfi_core import data
from fgfi_core.data import Example

if TYPE_CHECKING:
    from tests.fgfi_core.data.conftest import CocoFolder


def train(coco: "CocoFolder") -> tuple[Example, ...]:
    return data.read(coco.root).splits["train"]


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


def test_a_crowd_is_difficult(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 50, 50), iscrowd=1)
    coco.add("b.png", (1, 1, 5, 5))
    first, second = train(coco)
    assert (first.crowd.tolist(), first.difficult.tolist()) == ([True], [True])
    assert (second.crowd.tolist(), second.difficult.tolist()) == ([False], [False])


def test_what_is_to_be_ignored_is_difficult_and_no_crowd(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 50, 50), ignore=1)
    coco.add("b.png", (1, 1, 5, 5), ignore=0)
    first, second = train(coco)
    assert (first.crowd.tolist(), first.difficult.tolist()) == ([False], [True])
    assert second.difficult.tolist() == [False]


def test_areas_are_the_outlines_where_they_are_known(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5), area=12.5)
    coco.add("b.png", (1, 1, 5, 5))
    assert [example.area.tolist() for example in train(coco)] == [[12.5], [25]]


def test_an_image_without_annotations_is_a_background_image(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("none.png")
    assert train(coco)[1].boxes.shape == (0, 4)
