from typing import TYPE_CHECKING

import pytest

from fgfi_core import data
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder


def problems(voc: "VocFolder") -> list[str]:
    return [f"{problem.severity} {problem}" for problem in data.scan(voc.root).problems]


def test_boxes_count_pixels_from_zero_and_end_after_the_last(voc: "VocFolder") -> None:
    voc.add("a", [("cell", (11, 21, 50, 60))])
    example = data.read(voc.root).splits["train"][0]
    assert example.boxes.tolist() == [[10, 20, 50, 60]]
    assert (example.width, example.height) == (100, 80)


def test_classes_are_the_sorted_names_of_all_splits(voc: "VocFolder") -> None:
    voc.add("a", [("zebra", (1, 1, 9, 9))])
    voc.add("b", [("ant", (1, 1, 9, 9)), ("zebra", (1, 1, 9, 9))], split="val")
    dataset = data.read(voc.root)
    assert dataset.classes == ("ant", "zebra")
    assert dataset.splits["val"][0].labels.tolist() == [0, 1]


def test_difficult_boxes_are_kept_and_marked(voc: "VocFolder") -> None:
    voc.add("a", [("cell", (1, 1, 9, 9)), ("cell", (20, 20, 30, 30))], difficult=[1])
    assert data.read(voc.root).splits["train"][0].difficult.tolist() == [False, True]


def test_an_image_without_objects_is_a_background_image(voc: "VocFolder") -> None:
    voc.add("a")
    voc.add("empty", [])
    assert data.read(voc.root).splits["train"][1].boxes.shape == (0, 4)


def test_a_box_without_area_is_dropped_and_reported_with_its_line(voc: "VocFolder") -> None:
    voc.add("a", [("cell", (11, 21, 50, 60)), ("cell", (30, 30, 30, 40))])
    assert len(data.read(voc.root).splits["train"][0].boxes) == 1
    assert problems(voc) == ["warning Annotations/a.xml:7: box of 'cell' (30, 30, 30, 40) has no area; dropped"]


def test_a_box_outside_the_image_is_dropped_and_one_across_the_border_clipped(voc: "VocFolder") -> None:
    voc.add("a", [("cell", (90, 70, 120, 95)), ("cell", (150, 10, 170, 20))])
    assert data.read(voc.root).splits["train"][0].boxes.tolist() == [[89, 69, 100, 80]]
    assert problems(voc) == [
        "warning Annotations/a.xml:4: box of 'cell' (90, 70, 120, 95) leaves 100x80; clipped",
        "warning Annotations/a.xml:7: box of 'cell' (150, 10, 170, 20) lies outside 100x80; dropped",
    ]


def test_boxes_of_tools_that_count_from_zero_are_clipped_silently(voc: "VocFolder") -> None:
    voc.add("a", [("cell", (0, 0, 100, 80))])
    dataset = data.read(voc.root)
    assert dataset.splits["train"][0].boxes.tolist() == [[0, 0, 100, 80]]
    assert dataset.problems == ()


def test_an_annotation_of_another_size_than_its_image_is_doubted(voc: "VocFolder") -> None:
    annotation = voc.add("a")
    annotation.write_text(annotation.read_text().replace("<width>100", "<width>200"))
    assert problems(voc) == ["warning Annotations/a.xml:2: says 200x80, the image is 100x80; do the boxes fit it?"]


def test_a_size_that_was_not_filled_in_is_no_contradiction(voc: "VocFolder") -> None:
    annotation = voc.add("a")
    annotation.write_text(annotation.read_text().replace("<width>100", "<width>0").replace("<height>80", "<height>0"))
    assert problems(voc) == []


def test_a_listed_image_that_is_missing_stops_the_reader_at_the_lists_line(voc: "VocFolder") -> None:
    voc.add("a")
    voc.list_image("ghost")
    with pytest.raises(BadData, match=r"ImageSets/Main/train\.txt:2: there is no file for 'ghost' in JPEGImages"):
        data.read(voc.root)


def test_a_list_cannot_point_outside_its_folder(voc: "VocFolder") -> None:
    voc.add("a")
    voc.list_image("../JPEGImages/a")
    with pytest.raises(BadData, match=r"there is no file for '\.\./JPEGImages/a'"):
        data.read(voc.root)


def test_per_class_lists_of_the_devkit_are_no_splits(voc: "VocFolder") -> None:
    voc.add("a")
    voc.list_image("a -1", split="cell_train")
    assert set(data.read(voc.root).splits) == {"train"}


def test_an_image_listed_twice_counts_once(voc: "VocFolder") -> None:
    voc.add("a")
    voc.list_image("a")
    assert len(data.read(voc.root).splits["train"]) == 1
    assert problems(voc) == ["warning ImageSets/Main/train.txt:2: image 'a' is listed twice; first on 1"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</object>", "</objekt>", "Annotations/b.xml:5: is not well-formed XML: mismatched tag"),
        ("<xmin>11</xmin>", "<xmin>left</xmin>", "Annotations/b.xml:4: xmin is 'left', not a number"),
        ("<xmin>11</xmin>", "<xmin>nan</xmin>", "Annotations/b.xml:4: xmin is 'nan', not a number"),
        ("<xmin>11</xmin>", "", "Annotations/b.xml:4: bndbox has no xmin"),
        ("<name>cell</name>", "", "Annotations/b.xml:3: an object without a name"),
        ("<annotation>", "<!DOCTYPE a []><annotation>", "Annotations/b.xml:1: declares a DOCTYPE"),
    ],
)
def test_a_broken_annotation_is_named_with_its_line(voc: "VocFolder", old: str, new: str, message: str) -> None:
    voc.add("a")
    annotation = voc.add("b")
    annotation.write_text(annotation.read_text().replace(old, new))
    with pytest.raises(BadData, match="1 unusable entry") as caught:
        data.read(voc.root)
    assert message in str(caught.value)
    assert len(data.scan(voc.root).splits["train"]) == 1


def test_a_file_that_is_no_image_is_named(voc: "VocFolder") -> None:
    voc.add("a")
    voc.add("b")
    (voc.root / "JPEGImages" / "b.png").write_text("not pixels")
    with pytest.raises(BadData, match=r"JPEGImages/b\.png: not an image in a format we read"):
        data.read(voc.root)


def test_a_split_without_a_usable_image_is_refused(voc: "VocFolder") -> None:
    voc.add("a")
    voc.list_image("ghost", split="val")
    with pytest.raises(BadData, match=r"ImageSets/Main/val\.txt: no usable image in this split"):
        data.scan(voc.root)


def test_data_without_any_box_are_refused(voc: "VocFolder") -> None:
    voc.add("a", [])
    with pytest.raises(BadData, match="no usable box in any image"):
        data.scan(voc.root)


def test_the_data_may_lie_in_a_chain_of_only_subfolders(voc: "VocFolder") -> None:
    voc.add("a")
    outer = voc.root.parent / "upload" / "VOCdevkit"
    outer.mkdir(parents=True)
    voc.root.rename(outer / "VOC2007")
    assert data.read(outer.parent).format == "voc"
