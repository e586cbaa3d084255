"""Where COCO's files and images are found, and whose they are."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.data.conftest import CocoFolder


def train(coco: "CocoFolder") -> tuple[Example, ...]:
    return data.read(coco.root).splits["train"]


def problems(coco: "CocoFolder") -> list[str]:
    return [f"{problem.severity} {problem}" for problem in data.scan(coco.root).problems]


@pytest.mark.parametrize("folder", ["train", "images/train", "images", "."])
def test_images_are_found_where_they_usually_are(coco: "CocoFolder", folder: str) -> None:
    coco.add("a.png", (1, 1, 5, 5), folder=folder)
    assert train(coco)[0].path.relative_to(coco.root).as_posix() == Path(folder, "a.png").as_posix()


def test_a_file_may_be_named_for_its_split_alone(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.file().rename(coco.root / "annotations/train.json")
    (coco.root / "annotations/captions_train.json").write_text("no boxes in here")
    assert set(data.read(coco.root).splits) == {"train"}


def test_two_files_of_one_split_are_refused(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    (coco.root / "annotations/train.json").write_bytes(coco.file().read_bytes())
    expected = r"annotations/instances_train\.json and annotations/train\.json are both of the split 'train'"
    with pytest.raises(BadData, match=expected):
        data.scan(coco.root)


def test_equal_ids_of_different_images_in_two_splits_are_not_shared(coco: "CocoFolder") -> None:
    assert coco.add("a.png", (1, 1, 5, 5)) == coco.add("a.png", (1, 1, 5, 5), split="val")
    assert data.read(coco.root).shared("train", "val") == frozenset()


def test_one_file_in_two_splits_is_shared(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5), folder="images")
    coco.add("./a.png", (1, 1, 5, 5), folder="images", split="val")
    assert data.read(coco.root).shared("train", "val") == {"images/a.png"}


def test_sizes_come_from_the_images_without_decoding_them(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    del coco.content()["images"][0]["width"], coco.content()["images"][0]["height"]
    coco.write()
    image = coco.root / "train/a.png"
    image.write_bytes(image.read_bytes()[:2000])
    assert (train(coco)[0].width, train(coco)[0].height) == (100, 80)
    assert problems(coco) == []


def test_a_link_out_of_the_folder_is_not_followed(coco: "CocoFolder") -> None:
    coco.add("a.png", (1, 1, 5, 5))
    coco.add("b.png")
    image = coco.root / "train/b.png"
    image.rename(coco.root.parent / "b.png")
    image.symlink_to(coco.root.parent / "b.png")
    (problem,) = problems(coco)
    assert "images[1] (id 2): train/b.png: is reached by a link that leads out of the data set" in problem
