from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fgfi_core import data
from fgfi_core.data.formats import FORMATS
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder
    from tests.fgfi_core.data.conftest import CocoFolder, KittiFolder, YoloFolder


@pytest.fixture
def folders(voc: "VocFolder", coco: "CocoFolder", kitti: "KittiFolder", yolo: "YoloFolder") -> dict[str, Path]:
    """One small data set of each format."""
    voc.add("a")
    coco.add("a.png", (1, 1, 5, 5))
    kitti.add("000000")
    yolo.add("a.png")
    return {"voc": voc.root, "coco": coco.root, "kitti": kitti.root, "yolo": yolo.root}


@pytest.mark.parametrize("name", ["voc", "coco", "kitti", "yolo"])
def test_a_format_is_told_by_its_folders(folders: dict[str, Path], name: str) -> None:
    assert data.read(folders[name]).format == name
    assert [known.found(folders[name]) for known in FORMATS].count(True) == 1


@pytest.mark.parametrize("name", ["coco", "kitti", "yolo"])
def test_each_may_lie_in_a_chain_of_only_subfolders(folders: dict[str, Path], name: str, tmp_path: Path) -> None:
    (tmp_path / "upload" / "data").mkdir(parents=True)
    folders[name].rename(tmp_path / "upload" / "data" / "cells")
    assert data.read(tmp_path / "upload").format == name


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ("voc", "coco", r"looks like Pascal VOC \(Annotations/.*\) and COCO \(annotations/\*\.json\)"),
        ("kitti", "yolo", r"looks like KITTI \(training/image_2/.*\) and YOLO \(data\.yaml"),
        ("coco", "yolo", r"looks like COCO \(annotations/\*\.json\) and YOLO \(data\.yaml"),
    ],
)
def test_a_folder_of_two_formats_is_refused(folders: dict[str, Path], one: str, other: str, message: str) -> None:
    for path in folders[other].iterdir():
        target = folders[one] / path.name
        if not target.exists():
            path.rename(target)
    with pytest.raises(BadData, match=message):
        data.scan(folders[one])


def test_an_unknown_layout_is_told_what_was_looked_for_and_found(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels").mkdir()
    with pytest.raises(BadData) as caught:
        data.read(tmp_path)
    assert caught.value.message == (
        "No known data set format: looked for Pascal VOC (Annotations/, JPEGImages/ and ImageSets/Main/*.txt), or COCO "
        "(annotations/*.json), or KITTI (training/image_2/, training/label_2/ and ImageSets/*.txt), or YOLO (data.yaml)"
        "; found labels, photos."
    )


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="ghost: there is no such folder"):
        data.scan(tmp_path / "ghost")


@pytest.mark.parametrize("name", ["voc", "coco", "kitti", "yolo"])
def test_each_format_is_checked_image_by_image(folders: dict[str, Path], name: str) -> None:
    assert data.check(folders[name]).usable
    image = next(path for path in sorted(folders[name].rglob("*.png")) if path.name in {"a.png", "000000.png"})
    image.write_bytes(image.read_bytes()[:2000])
    report = data.check(folders[name])
    assert report.format == name
    assert not report.usable
    assert report.problems[0].file == image.relative_to(folders[name]).as_posix()
    assert report.problems[0].message.startswith("the image is broken: ")
