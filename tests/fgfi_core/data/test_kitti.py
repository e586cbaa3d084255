from typing import TYPE_CHECKING

import numpy as np
import pytest

from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.data.conftest import KittiFolder


def only(kitti: "KittiFolder") -> Example:
    return data.read(kitti.root).splits["train"][0]


def problems(kitti: "KittiFolder") -> list[str]:
    return [f"{problem.severity} {problem}" for problem in data.scan(kitti.root).problems]


def test_boxes_are_continuous_and_count_from_zero_already(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line("Car", (712.4 / 10, 14.3, 81.07, 30.79)))
    assert only(kitti).boxes.tolist() == np.array([[71.24, 14.3, 81.07, 30.79]], np.float32).tolist()
    assert (only(kitti).width, only(kitti).height) == (100, 80)


def test_classes_are_those_that_kitti_scores_in_its_order(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line("Cyclist"), kitti.line("Car"), kitti.line("pedestrian"))
    assert data.read(kitti.root).classes == ("Car", "Pedestrian", "Cyclist")
    assert only(kitti).labels.tolist() == [2, 0, 1]


def test_a_van_is_a_difficult_car_and_a_sitting_person_a_difficult_pedestrian(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line("Van"), kitti.line("Person_sitting"), kitti.line("Car"))
    assert only(kitti).labels.tolist() == [0, 1, 0]
    assert only(kitti).difficult.tolist() == [True, True, False]


def test_dont_care_is_a_region_and_no_box(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line(), "DontCare -1 -1 -10 50.00 16.00 59.00 19.00 -1 -1 -1 -1000 -1000 -1000 -10")
    assert only(kitti).ignored.tolist() == [[50, 16, 59, 19]]
    assert len(only(kitti).boxes) == 1


def test_trucks_trams_and_misc_are_background(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line(), kitti.line("Truck"), kitti.line("Tram"), kitti.line("Misc"))
    assert only(kitti).labels.tolist() == [0]
    assert problems(kitti) == []


def test_a_type_that_kitti_does_not_have_is_background_and_said_once(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line(), kitti.line("Caar"), kitti.line("Caar"))
    assert only(kitti).labels.tolist() == [0]
    assert problems(kitti) == [
        "warning training/label_2: 2 boxes of the unknown type 'Caar'; taken as background",
    ]


def test_occlusion_and_truncation_are_kept(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line(truncation="0.25", occlusion="2"), kitti.line(truncation="-1", occlusion="-1"))
    assert only(kitti).truncation.tolist() == [0.25, -1]
    assert only(kitti).occlusion.tolist() == [2, -1]


def test_boxes_across_the_border_and_without_area_are_mended(kitti: "KittiFolder") -> None:
    kitti.add("000000", kitti.line(box=(90, 70, 120, 95)), kitti.line(box=(20, 20, 20, 30)))
    assert only(kitti).boxes.tolist() == [[90, 70, 100, 80]]
    assert problems(kitti) == [
        "warning training/label_2/000000.txt:1: box of 'Car' (90, 70, 120, 95) leaves 100x80; clipped",
        "warning training/label_2/000000.txt:2: box of 'Car' (20, 20, 20, 30) has no area; dropped",
    ]


def test_an_empty_label_is_a_background_image(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    kitti.add("000001").write_text("")
    assert data.read(kitti.root).splits["train"][1].boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" -1.50", "", "15 columns are expected, found 14"),
        (" -1.50", " -1.50 0.9", "found 16; a column more is a score: detections, not labels"),
        ("10.00", "left", "left is 'left', not a number"),
        ("60.00", "nan", "bottom is 'nan', not a number"),
        ("60.00", "1e999", "bottom is '1e999', not a number"),
        (" 0.00 ", " 1.5 ", "truncation is '1.5', not from 0 to 1"),
        (" 0 ", " 7 ", "occlusion is '7', not 0, 1, 2, 3"),
    ],
)
def test_a_broken_line_is_named_and_its_image_left_out(kitti: "KittiFolder", old: str, new: str, message: str) -> None:
    kitti.add("000000")
    label = kitti.add("000001")
    label.write_text(kitti.line() + "\n" + label.read_text().replace(old, new))
    with pytest.raises(BadData, match="1 unusable entry") as caught:
        data.read(kitti.root)
    assert "training/label_2/000001.txt:2: " in str(caught.value)
    assert message in str(caught.value)
    assert len(data.scan(kitti.root).splits["train"]) == 1


def test_a_label_that_is_no_text_is_named(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    kitti.add("000001").write_bytes(b"Car \xff")
    assert problems(kitti) == [
        "error training/label_2/000001.txt: cannot be read as text: byte 4 is not UTF-8",
    ]


def test_an_image_and_a_label_that_are_missing_are_named_at_the_lists_line(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    kitti.list_image("000009")
    assert problems(kitti) == [
        "error ImageSets/train.txt:2: there is no file for '000009' in training/image_2",
        "error ImageSets/train.txt:2: there is no file for '000009' in training/label_2",
    ]


def test_a_list_cannot_point_outside_its_folder(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    kitti.list_image("../image_2/000000")
    assert "there is no file for '../image_2/000000'" in problems(kitti)[0]


def test_a_label_linked_to_a_file_outside_is_not_read(kitti: "KittiFolder") -> None:
    secret = kitti.root.parent / "secret.txt"
    secret.write_text("a secret")
    kitti.add("000000")
    label = kitti.add("000001")
    label.unlink()
    label.symlink_to(secret)
    (problem,) = problems(kitti)
    assert problem.startswith("error training/label_2/000001.txt: is reached by a link that leads out")


def test_sizes_come_without_decoding(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    image = kitti.root / "training/image_2/000000.png"
    image.write_bytes(image.read_bytes()[:2000])
    assert (only(kitti).width, only(kitti).height) == (100, 80)


def test_a_download_without_lists_is_told_what_is_missing(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    (kitti.root / "ImageSets/train.txt").unlink()
    with pytest.raises(BadData, match=r"ImageSets: no list of images \(\*\.txt\) there\. Add for instance train\.txt"):
        data.read(kitti.root)


def test_the_list_of_the_benchmarks_own_test_frames_is_passed_over(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    kitti.list_image("000000", split="test")
    assert set(data.read(kitti.root).splits) == {"train", "test"}
    (kitti.root / "testing/image_2").mkdir(parents=True)
    assert set(data.read(kitti.root).splits) == {"train"}


def test_an_empty_list_is_refused(kitti: "KittiFolder") -> None:
    kitti.add("000000")
    (kitti.root / "ImageSets/val.txt").write_text("\n")
    with pytest.raises(BadData, match=r"ImageSets/val\.txt: no usable image in this split"):
        data.scan(kitti.root)
