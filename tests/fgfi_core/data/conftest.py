"""Small data sets in each format that a test writes image by image, and the folder of the real ones."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Values = tuple[float, float, float, float]


@pytest.fixture
def real_data(bccd: Path) -> Path:
    return bccd.parent


def write_image(path: Path, size: tuple[int, int] = (100, 80)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Each name its own pixels: the same picture twice is a finding.
    seed = list(path.as_posix().encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


class KittiFolder:
    """KITTI: a label is written line by line."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for part in ("training/image_2", "training/label_2", "ImageSets"):
            (root / part).mkdir(parents=True)

    def add(self, image_id: str, *lines: str, split: str = "train") -> Path:
        write_image(self.root / f"training/image_2/{image_id}.png")
        label = self.root / f"training/label_2/{image_id}.txt"
        label.write_text("".join(f"{line}\n" for line in lines or (self.line(),)))
        self.list_image(image_id, split)
        return label

    def list_image(self, line: str, split: str = "train") -> None:
        with (self.root / f"ImageSets/{split}.txt").open("a") as file:
            file.write(f"{line}\n")

    @staticmethod
    def line(
        kind: str = "Car", box: Values = (10, 20, 50, 60), *, truncation: str = "0.00", occlusion: str = "0"
    ) -> str:
        sides = " ".join(f"{side:.2f}" for side in box)
        return f"{kind} {truncation} {occlusion} -1.57 {sides} 1.50 1.60 3.70 0.10 1.70 20.00 -1.50"


class CocoFolder:
    """COCO: `splits` holds what `write` puts into each split's file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.splits: dict[str, dict[str, list[Any]]] = {}
        (root / "annotations").mkdir(parents=True)

    def add(self, name: str, *boxes: Values, split: str = "train", folder: str | None = None, **more: Any) -> int:
        """Add an image with boxes of the first category; returns its id. more: further fields of the annotations."""
        write_image(self.root / (split if folder is None else folder) / name)
        content = self.content(split)
        image_id = len(content["images"]) + 1
        content["images"].append({"id": image_id, "file_name": name, "width": 100, "height": 80})
        for box in boxes:
            annotation_id = len(content["annotations"]) + 100
            content["annotations"].append(
                {"id": annotation_id, "image_id": image_id, "category_id": 1, "bbox": list(box), "iscrowd": 0, **more}
            )
        self.write()
        return image_id

    def content(self, split: str = "train") -> dict[str, list[Any]]:
        categories = [{"id": 1, "name": "cell"}, {"id": 3, "name": "dot"}]
        return self.splits.setdefault(split, {"images": [], "annotations": [], "categories": categories})

    def write(self) -> None:
        for split in self.splits:
            self.file(split).write_text(json.dumps(self.splits[split]))

    def file(self, split: str = "train") -> Path:
        return self.root / f"annotations/instances_{split}.json"


class YoloFolder:
    """The YOLO layout with two classes, `cell` and `dot`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.config("names: [cell, dot]", "train: images/train", "val: images/val")
        for split in ("train", "val"):
            (root / "images" / split).mkdir(parents=True)

    def config(self, *lines: str) -> None:
        (self.root / "data.yaml").write_text("".join(f"{line}\n" for line in lines))

    def add(self, name: str, lines: Sequence[str] | None = ("0 0.5 0.5 0.2 0.4",), *, split: str = "train") -> Path:
        """Add an image; `lines` None writes no label. Returns the label."""
        write_image(self.root / "images" / split / name)
        label = (self.root / "labels" / split / name).with_suffix(".txt")
        if lines is not None:
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text("".join(f"{line}\n" for line in lines))
        return label


@pytest.fixture
def kitti(tmp_path: Path) -> KittiFolder:
    return KittiFolder(tmp_path / "kitti")


@pytest.fixture
def coco(tmp_path: Path) -> CocoFolder:
    return CocoFolder(tmp_path / "coco")


@pytest.fixture
def yolo(tmp_path: Path) -> YoloFolder:
    folder = YoloFolder(tmp_path / "yolo")
    folder.add("v.png", split="val")
    return folder
