"""A folder of images without labels, beside any format's files."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fgfi_core import data
from fgfi_core.errors import BadData
from tests.fgfi_core.data.conftest import write_image

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder
    from tests.fgfi_core.data.conftest import KittiFolder, YoloFolder


def unlabelled(root: Path, *names: str) -> None:
    for name in names:
        (root / "unlabelled" / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(root / "unlabelled" / name, (60, 40))


def test_it_is_a_split_of_images_without_boxes(voc: "VocFolder") -> None:
    voc.add("a")
    unlabelled(voc.root, "y.png", "x.png", "deeper/z.jpg")
    split = data.read(voc.root).splits["unlabelled"]
    assert [example.image_id for example in split] == [f"unlabelled/{n}" for n in ("deeper/z.jpg", "x.png", "y.png")]
    assert [(e.width, e.height, len(e.boxes)) for e in split] == [(60, 40, 0)] * 3


def test_any_format_has_it(kitti: "KittiFolder", yolo: "YoloFolder") -> None:
    kitti.add("000001")
    yolo.add("a.png")
    for root in (kitti.root, yolo.root):
        unlabelled(root, "x.png")
        assert len(data.read(root).splits["unlabelled"]) == 1


def test_without_the_folder_there_is_no_such_split(voc: "VocFolder") -> None:
    voc.add("a")
    assert set(data.read(voc.root).splits) == {"train"}


def test_a_split_that_the_format_calls_so_stays(voc: "VocFolder") -> None:
    voc.add("a")
    voc.add("b", split="unlabelled")
    unlabelled(voc.root, "x.png")
    assert [example.image_id for example in data.read(voc.root).splits["unlabelled"]] == ["b"]


def test_a_file_that_is_no_image_is_named(voc: "VocFolder") -> None:
    voc.add("a")
    unlabelled(voc.root, "x.png")
    (voc.root / "unlabelled" / "y.png").write_text("no image")
    with pytest.raises(BadData, match=r"unlabelled/y\.png"):
        data.read(voc.root)
    assert data.check(voc.root).problem_counts["error"] == 1
