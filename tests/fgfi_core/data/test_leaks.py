"""One picture twice: under another name, in another file format, in another split."""

import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from fgfi_core import data
from fgfi_core.data import DatasetReport
from fgfi_core.data.leaks import leaks
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder


def copy(voc: "VocFolder", one: str, other: str, split: str) -> None:
    """List the image `other` in a split, with the pixels of the image `one`."""
    voc.add(other, split=split)
    shutil.copyfile(voc.root / f"JPEGImages/{one}.png", voc.root / f"JPEGImages/{other}.png")


def warnings(report: DatasetReport) -> list[str]:
    return [f"{problem.file}: {problem.message}" for problem in report.problems]


def test_a_copy_of_another_name_is_found_with_both_files(voc: "VocFolder") -> None:
    voc.add("a")
    copy(voc, "a", "b", "val")
    report = data.check(voc.root)
    assert [leak.model_dump() for leak in report.leaks] == [
        {"split": "train", "file": "JPEGImages/a.png", "other_split": "val", "other_file": "JPEGImages/b.png"}
    ]
    (line,) = warnings(report)
    assert line.startswith("JPEGImages/b.png: is of 'val' and has the same pixels as JPEGImages/a.png of 'train'; ")


def test_a_leak_is_for_the_training_to_refuse_and_not_for_the_upload(voc: "VocFolder") -> None:
    voc.add("a")
    copy(voc, "a", "b", "val")
    assert data.check(voc.root).usable
    (leak,) = leaks(data.read(voc.root), "train", "val")
    assert str(leak) == "train: a.png and val: b.png"


def test_another_file_format_with_the_same_pixels_hides_nothing(voc: "VocFolder") -> None:
    voc.add("a")
    voc.add("b", split="val")
    with Image.open(voc.root / "JPEGImages/a.png") as image:
        image.save(voc.root / "JPEGImages/b.bmp")
    (voc.root / "JPEGImages/b.png").unlink()
    assert len(leaks(data.read(voc.root), "train", "val")) == 1


def test_one_pixel_makes_another_picture(voc: "VocFolder") -> None:
    voc.add("a")
    copy(voc, "a", "b", "val")
    with Image.open(voc.root / "JPEGImages/b.png") as image:
        red, green, blue = image.getpixel((0, 0))  # type: ignore[misc] # RGB, as the fixture wrote it
        image.putpixel((0, 0), (255 - red, green, blue))
        image.save(voc.root / "JPEGImages/b.png")
    assert leaks(data.read(voc.root), "train", "val") == ()


def test_the_same_bytes_in_another_shape_are_another_picture(voc: "VocFolder") -> None:
    for name, size, split in (("a", (100, 80), "train"), ("b", (80, 100), "val")):
        voc.add(name, split=split)
        Image.new("RGB", size, "white").save(voc.root / f"JPEGImages/{name}.png")
    assert leaks(data.read(voc.root), "train", "val") == ()


def test_one_file_in_two_splits_is_a_leak_too(voc: "VocFolder") -> None:
    for name, split in (("a", "train"), ("b", "train"), ("c", "val")):
        voc.add(name, split=split)
    voc.list_image("b", split="val")
    report = data.check(voc.root)
    assert [(leak.file, leak.other_file) for leak in report.leaks] == [("JPEGImages/b.png", "JPEGImages/b.png")]
    assert warnings(report) == [
        "JPEGImages/b.png: is of both 'train' and 'val'; trained on one, the other measures memory"
    ]


def test_a_split_within_another_leaks_nothing(voc: "VocFolder") -> None:
    for name in "ab":
        voc.add(name, split="trainval")
    voc.list_image("a", split="train")
    report = data.check(voc.root)
    assert (report.leaks, report.problems) == ((), ())


def test_a_picture_twice_in_one_split_is_a_doubt_and_no_leak(voc: "VocFolder") -> None:
    voc.add("a")
    copy(voc, "a", "b", "train")
    report = data.check(voc.root)
    assert report.leaks == ()
    assert warnings(report) == ["JPEGImages/b.png: has the same pixels as JPEGImages/a.png"]


def test_two_files_are_named_once_however_many_splits_hold_them(voc: "VocFolder") -> None:
    voc.add("a")
    copy(voc, "a", "b", "test")
    for split in ("trainval", "val"):
        voc.list_image("a", split=split)
        voc.add(f"only_{split}", split=split)
    report = data.check(voc.root)
    assert {(leak.split, leak.other_split) for leak in report.leaks} >= {("train", "test"), ("trainval", "test")}
    assert len([line for line in warnings(report) if line.startswith("JPEGImages/b.png")]) == 1


def test_many_equal_pictures_are_as_many_leaks_and_not_their_square(voc: "VocFolder") -> None:
    voc.add("a")
    for number in range(4):
        copy(voc, "a", f"t{number}", "train")
        copy(voc, "a", f"v{number}", "val")
    assert len(leaks(data.read(voc.root), "train", "val")) == 4


def test_an_image_that_cannot_be_decoded_is_named(voc: "VocFolder") -> None:
    voc.add("a")
    voc.add("b", split="val")
    image = voc.root / "JPEGImages/b.png"
    image.write_bytes(image.read_bytes()[:2000])
    with pytest.raises(BadData, match=r"b\.png: the image is broken"):
        leaks(data.read(voc.root), "train", "val")
