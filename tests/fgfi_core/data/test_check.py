from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fgfi_core.data import DatasetReport, check

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder
    from tests.fgfi_core.data.conftest import CocoFolder, KittiFolder, YoloFolder


def test_counts_are_over_distinct_images_and_each_split(voc: "VocFolder") -> None:
    voc.add("a", [("cell", (1, 1, 20, 40)), ("dot", (1, 1, 4, 4))], difficult=[1])
    voc.add("b", [], split="val")
    voc.list_image("a", split="trainval")
    voc.list_image("b", split="trainval")
    report = check(voc.root)
    assert (report.images, report.boxes, report.usable) == (2, 2, True)
    trainval = report.splits["trainval"]
    assert (trainval.images, trainval.empty, trainval.boxes, trainval.difficult) == (2, 1, 2, 1)
    assert report.splits["val"].per_class == {"cell": 0, "dot": 0}
    assert (report.classes["cell"].median_width, report.classes["cell"].median_height) == (20, 40)
    assert report.classes["cell"].median_relative_area == 20 * 40 / (100 * 80)
    assert report.shared == ()


def test_an_image_cut_short_makes_the_data_unusable(voc: "VocFolder") -> None:
    voc.add("a")
    voc.add("b")
    image = voc.root / "JPEGImages" / "b.png"
    image.write_bytes(image.read_bytes()[:2000])
    report = check(voc.root)
    assert not report.usable
    assert report.problem_counts == {"error": 1, "warning": 0}
    assert report.problems[0].file == "JPEGImages/b.png"
    assert report.problems[0].message.startswith("the image is broken: ")


def test_splits_that_overlap_are_reported_and_containing_ones_are_not(voc: "VocFolder") -> None:
    for name in "abc":
        voc.add(name, split="all")
    for split, names in (("train", "ab"), ("val", "bc")):
        for name in names:
            voc.list_image(name, split=split)
    report = check(voc.root)
    assert [(shared.splits, shared.images) for shared in report.shared] == [(("train", "val"), 1)]


def test_errors_come_before_warnings(voc: "VocFolder") -> None:
    voc.add("a", [("cell", (5, 5, 5, 5)), ("cell", (1, 1, 9, 9))])
    voc.list_image("ghost")
    assert [problem.severity for problem in check(voc.root).problems] == ["error", "error", "warning"]


def test_the_report_survives_json(bccd: Path) -> None:
    report = check(bccd)
    assert DatasetReport.model_validate_json(report.model_dump_json()) == report
    assert report.usable
    assert report.problem_counts == {"error": 0, "warning": 2}
    assert {name: split.images for name, split in report.splits.items()} == {
        "test": 72,
        "train": 205,
        "trainval": 292,
        "val": 87,
    }


def test_crowds_and_ignored_regions_are_counted_apart(coco: "CocoFolder", kitti: "KittiFolder") -> None:
    coco.add("a.png", (1, 1, 50, 50), iscrowd=1)
    coco.add("b.png", (1, 1, 5, 5))
    train = check(coco.root).splits["train"]
    assert (train.boxes, train.difficult, train.crowd, train.ignored) == (2, 1, 1, 0)
    kitti.add("000000", kitti.line(), kitti.line("Van"), kitti.line("DontCare"))
    train = check(kitti.root).splits["train"]
    assert (train.boxes, train.difficult, train.crowd, train.ignored) == (2, 1, 0, 1)


def test_a_class_that_is_listed_and_has_no_box_is_described_too(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    report = check(coco.root)
    assert report.classes["dot"].boxes == 0
    assert report.classes["dot"].median_width is None
    assert DatasetReport.model_validate_json(report.model_dump_json()) == report


def test_an_image_is_named_from_the_data_sets_folder(yolo: "YoloFolder") -> None:
    yolo.add("below/a.png")
    (yolo.root / "images/val/v.png").write_bytes((yolo.root / "images/val/v.png").read_bytes()[:2000])
    assert [problem.file for problem in check(yolo.root).problems] == ["images/val/v.png"]


@pytest.mark.parametrize(
    ("name", "format_", "images", "boxes", "classes"),
    [
        ("kitti_tiny", "kitti", 75, 289, 3),
        ("tiny_coco", "coco", 100, 852, 80),
        ("voc2012_100", "voc", 100, 273, 20),
    ],
)
def test_real_data_of_each_format_are_usable(
    real_data: Path, name: str, format_: str, images: int, boxes: int, classes: int
) -> None:
    report = check(real_data / name)
    assert (report.format, report.images, report.boxes, len(report.classes)) == (format_, images, boxes, classes)
    assert report.usable
    assert report.problem_counts == {"error": 0, "warning": 0}
    assert report.shared == ()


def test_statistics_cover_every_box_and_image(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 50, 50), (1, 1, 5, 5), iscrowd=1)
    coco.add("b.png")
    report = check(coco.root)
    assert report.statistics is not None
    assert sum(report.statistics.sizes.model_dump().values()) == report.boxes == 2
    assert sum(report.statistics.boxes_per_image.counts) == report.images == 2
    assert report.statistics.tiny is None


def test_tiny_boxes_are_counted_where_a_size_is_asked_for(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 50, 50), (1, 1, 5, 5))
    described = check(coco.root, image_size=(200, 160), strides=(8, 16)).statistics
    assert described is not None
    assert described.tiny is not None
    assert [(at.stride, at.boxes) for at in described.tiny.strides] == [(8, 0), (16, 1)]


def test_a_report_from_before_the_statistics_is_still_read(voc: "VocFolder") -> None:
    voc.add("a")
    report = check(voc.root)
    old = report.model_dump(mode="json", exclude={"leaks", "statistics"})
    assert DatasetReport.model_validate(old).statistics is None
