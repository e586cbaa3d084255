"""What a conversion promises beside its boxes: whole or not at all, and nothing lost without a word."""

import errno
import os
import resource
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fgfi_core import data
from fgfi_core.data.convert import Converted, convert
from fgfi_core.errors import BadData, BadSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder
    from tests.fgfi_core.data.conftest import CocoFolder, KittiFolder, YoloFolder


def losses(done: Converted) -> list[str]:
    """How many, and the first two words of what."""
    return [f"{loss.count} {' '.join(loss.what.split()[:2])}".rstrip(",;:") for loss in done.losses]


def test_what_kitti_knows_and_others_do_not_is_counted(kitti: "KittiFolder", tmp_path: Path) -> None:
    kitti.add("000000", kitti.line(occlusion="1"), kitti.line("Van", truncation="0.5"), kitti.line("Truck"))
    kitti.add("000001", kitti.line("DontCare"), kitti.line("DontCare"))
    marks = ["1 difficult marks", "1 occlusions", "1 truncations", "2 regions to", "1 boxes of"]
    assert losses(convert(kitti.root, tmp_path / "yolo", "yolo")) == marks
    assert losses(convert(kitti.root, tmp_path / "coco", "coco")) == marks[1:]
    assert losses(convert(kitti.root, tmp_path / "voc", "voc")) == [
        "2 classes without",
        "1 occlusions by",
        "1 truncations by",
        *marks[3:],
    ]


def test_what_coco_knows_and_others_do_not_is_counted(coco: "CocoFolder", tmp_path: Path) -> None:
    coco.content()["categories"] = [{"id": 1, "name": "Cyclist"}, {"id": 2, "name": "cat"}]
    coco.add("a.png", (5, 5, 60, 60), iscrowd=1)
    coco.add("b.png", (5, 5, 20, 20), (5, 5, 1, 20), category_id=2, area=10)
    coco.add("c.png", (5, 5, 20, 20), ignore=1)
    assert losses(convert(coco.root, tmp_path / "same", "coco")) == []
    assert losses(convert(coco.root, tmp_path / "voc", "voc")) == [
        "1 boxes of",
        "1 crowd marks",
        "2 areas of",
    ]
    assert losses(convert(coco.root, tmp_path / "yolo", "yolo")) == ["1 difficult marks", "1 crowd boxes", "2 areas of"]
    assert losses(convert(coco.root, tmp_path / "kitti", "kitti")) == [
        "2 boxes of",
        "1 crowd boxes",
        "1 difficult marks",
        "2 areas of",
    ]


def test_what_the_reader_found_in_the_source_is_told(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a", [("cell", (5, 5, 5, 5)), ("cell", (1, 1, 9, 9))])
    done = convert(voc.root, tmp_path / "out", "coco")
    assert [problem.message for problem in done.problems] == ["box of 'cell' (5, 5, 5, 5) has no area; dropped"]


def test_the_counts_are_those_of_what_was_written(coco: "CocoFolder", tmp_path: Path) -> None:
    coco.add("a.png", (5, 5, 60, 60), (1, 1, 0.5, 0.5), (3, 3, 7, 7))
    done = convert(coco.root, tmp_path / "out", "voc")
    assert (done.images, done.boxes, done.classes, done.splits) == (1, 2, ("cell",), {"train": 1})


def test_links_take_no_space_and_read_the_same(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a")
    convert(voc.root, tmp_path / "out", "yolo", copy="link")
    linked = data.read(tmp_path / "out").splits["train"][0].path
    assert linked.samefile(voc.root / "JPEGImages/a.png")


def test_links_to_another_disk_say_to_copy(voc: "VocFolder", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    voc.add("a")
    # A second disk is not at hand here.
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(BadData, match=r"a\.png: cannot be linked: Invalid cross-device link\. Copy the images instead"):
        convert(voc.root, tmp_path / "out", "yolo", copy="link")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["voc"]


def test_an_empty_folder_may_be_the_target(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a")
    (tmp_path / "out").mkdir()
    assert convert(voc.root, tmp_path / "out", "coco").images == 1


def test_folders_above_the_target_are_made(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a")
    convert(voc.root, tmp_path / "new/er/out", "coco")
    assert data.read(tmp_path / "new/er/out").format == "coco"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_nothing_is_written_over(voc: "VocFolder", tmp_path: Path, kind: str) -> None:
    voc.add("a")
    target = tmp_path / "out"
    if kind == "folder":
        target.mkdir()
    (target / "mine.txt" if kind == "folder" else target).write_text("mine")
    with pytest.raises(FileExistsError, match="exists already and is not an empty folder"):
        convert(voc.root, target, "coco")


def test_a_full_disk_leaves_nothing(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(BadData, match="out: cannot be written: File too large"):
            convert(voc.root, tmp_path / "out", "coco")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["voc"]


def test_an_interrupted_conversion_leaves_nothing(
    voc: "VocFolder", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    voc.add("a")
    monkeypatch.setattr(shutil, "copyfile", interrupt)
    with pytest.raises(KeyboardInterrupt):
        convert(voc.root, tmp_path / "out", "coco")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["voc"]


def test_a_source_with_an_unusable_image_is_refused(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a")
    voc.list_image("ghost")
    with pytest.raises(BadData, match="unusable entries"):
        convert(voc.root, tmp_path / "out", "coco")
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_refused_with_those_there_are(voc: "VocFolder", tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"no format 'csv' to write\. Name one of voc, coco, kitti, yolo"):
        convert(voc.root, tmp_path / "out", "csv")


def test_a_data_set_of_other_classes_cannot_be_kittis(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a")
    with pytest.raises(BadData, match=r"no box of a class that KITTI scores.*Car, Pedestrian, Cyclist"):
        convert(voc.root, tmp_path / "out", "kitti")


def test_other_programs_find_kittis_other_classes_by_name(voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a", [("car", (11, 21, 50, 60)), ("traffic light", (1, 1, 9, 9))])
    convert(voc.root, tmp_path / "out", "kitti")
    lines = (tmp_path / "out/training/label_2/a.txt").read_text().splitlines()
    assert lines == [
        "Car 0 0 -10 10 20 50 60 -1 -1 -1 -1000 -1000 -1000 -10",
        "traffic_light 0 0 -10 0 0 9 9 -1 -1 -1 -1000 -1000 -1000 -10",
    ]


def test_an_image_of_two_splits_stays_one_image(voc: "VocFolder", tmp_path: Path) -> None:
    for split, names in (("train", "ab"), ("val", "bc")):
        for name in names:
            (voc.add if name != "b" or split == "train" else voc.list_image)(name, split=split)
    for format_ in ("voc", "coco", "yolo"):
        convert(voc.root, tmp_path / "out" / format_, format_)
        written = data.read(tmp_path / "out" / format_)
        assert len(written.shared("train", "val")) == 1
        assert [len(split) for split in written.splits.values()] == [2, 2]


def test_yolos_three_splits_are_taken_by_name_then_by_need(voc: "VocFolder", tmp_path: Path) -> None:
    for name, split in (("a", "fold1"), ("b", "val2017"), ("c", "minitrain"), ("d", "fold2")):
        voc.add(name, split=split)
    voc.list_image("a", split="val2017")
    done = convert(voc.root, tmp_path / "out", "yolo")
    # fold1 lies within val2017; fold2 and minitrain hold images of their own.
    assert done.splits == {"train": 1, "val": 2, "test": 1}
    assert losses(done) == ["3 names of", "1 splits that"]
    assert (tmp_path / "out/fold1.txt").read_text() == "images/val/a.png\n"


def test_whatever_lies_in_no_split_of_yolos_is_on_a_list(voc: "VocFolder", tmp_path: Path) -> None:
    for name, split in zip("abcd", ("f1", "f2", "f3", "f4"), strict=True):
        voc.add(name, split=split)
    done = convert(voc.root, tmp_path / "out", "yolo")
    assert done.images == 3
    assert "lists beside it: f4" in done.losses[1].what
    assert (tmp_path / "out/f4.txt").read_text() == "images/f4/d.png\n"
    assert (tmp_path / "out/labels/f4/d.txt").exists()


def test_unwritten_fields_of_yolo_are_plain_words(yolo: "YoloFolder", tmp_path: Path) -> None:
    yolo.config("names: ['no', '1e3', 'zwölf: #x']", "train: images/train", "val: images/val")
    yolo.add("a.png")
    convert(yolo.root, tmp_path / "out", "yolo")
    assert data.read(tmp_path / "out").classes == ("no", "1e3", "zwölf: #x")
