"""Names that a target cannot hold, and names that meet there."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from fgfi_core import data
from fgfi_core.data.convert import convert
from fgfi_core.data.convert.names import classes

if TYPE_CHECKING:
    from tests.fgfi_core.data.conftest import CocoFolder, YoloFolder


def test_names_of_two_folders_that_meet_in_one_are_told_apart(yolo: "YoloFolder", tmp_path: Path) -> None:
    yolo.add("a.png", ["0 0.5 0.5 0.2 0.4"])
    yolo.add("a.png", ["1 0.5 0.5 0.2 0.4"], split="val")
    done = convert(yolo.root, tmp_path / "out", "voc")
    assert done.renamed == {"images/val/a.png": "JPEGImages/a-2.png"}
    written = data.read(tmp_path / "out")
    assert [e.path.name for e in written.splits["val"]] == ["a-2.png", "v.png"]
    assert written.splits["val"][0].labels.tolist() == [1]


def test_splits_of_their_own_folder_keep_equal_names(coco: "CocoFolder", tmp_path: Path) -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("a.png", (2, 2, 5, 5), split="val")
    for format_ in ("coco", "yolo"):
        assert convert(coco.root, tmp_path / "out" / format_, format_).renamed == {}
        written = data.read(tmp_path / "out" / format_)
        assert [split[0].boxes[0, 0].round(3) for split in written.splits.values()] == [1, 2]


def test_two_suffixes_of_one_stem_do_not_share_a_label(coco: "CocoFolder", tmp_path: Path) -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("A.bmp", (2, 2, 5, 5))
    for format_ in ("voc", "yolo"):
        done = convert(coco.root, tmp_path / format_, format_)
        assert [Path(name).name for name in done.renamed.values()] == ["A-2.bmp"]
        assert sorted(e.boxes[0, 0].round(3) for e in data.read(tmp_path / format_).splits["train"]) == [1, 2]


def test_a_list_of_words_holds_no_blanks(coco: "CocoFolder", tmp_path: Path) -> None:
    coco.add("a b\n.png", (1, 1, 5, 5))
    assert convert(coco.root, tmp_path / "voc", "voc").renamed == {"train/a b\n.png": "JPEGImages/a_b_.png"}
    assert convert(coco.root, tmp_path / "yolo", "yolo").renamed == {"train/a b\n.png": "images/train/a b_.png"}
    assert data.read(tmp_path / "voc").splits["train"][0].image_id == "a_b_"


def test_a_hidden_file_is_shown(coco: "CocoFolder", tmp_path: Path) -> None:
    coco.add(".a.png", (1, 1, 5, 5))
    assert convert(coco.root, tmp_path / "out", "voc").renamed == {"train/.a.png": "JPEGImages/a.png"}


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("BMP", ".bmp"), ("WEBP", ".webp")])
def test_a_file_without_a_known_suffix_gets_that_of_its_content(
    coco: "CocoFolder", tmp_path: Path, kind: str, suffix: str
) -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.content()["images"][0]["file_name"] = "a.0001"
    coco.write()
    (coco.root / "train/a.png").unlink()
    Image.new("RGB", (100, 80)).save(coco.root / "train/a.0001", kind)
    convert(coco.root, tmp_path / "out", "voc")
    assert data.read(tmp_path / "out").splits["train"][0].path.name == f"a.0001{suffix}"


def test_classes_are_kept_apart_after_they_were_made_printable() -> None:
    assert classes(("cat", "Cat", "a\nb", "a\tb", " ", "é" * 300)) == ("cat", "Cat", "a_b", "a_b-2", "class", "é" * 200)


def test_another_name_of_a_class_is_told(coco: "CocoFolder", tmp_path: Path) -> None:
    coco.content()["categories"] = [{"id": 1, "name": " car "}]
    coco.add("a.png", (1, 1, 5, 5))
    done = convert(coco.root, tmp_path / "out", "yolo")
    assert done.classes == ("car",)
    assert done.losses[0].what == "names of classes: ' car ' is 'car'"
