"""Fixtures of the science's tests: real data where it is at hand, and small made-up data sets."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

VocObject = tuple[str, tuple[float, float, float, float]]


def _real(name: str) -> Path:
    """Skip without FGFI_DATA; a variable that points nowhere is a mistake and fails."""
    data = os.environ.get("FGFI_DATA")
    if not data:
        pytest.skip("FGFI_DATA is not set: no real data at hand")
    folder = Path(data) / name
    if not folder.is_dir():
        pytest.fail(f"FGFI_DATA is set, but there is no folder {folder}")
    return folder


@pytest.fixture
def bccd() -> Path:
    return _real("bccd")


@pytest.fixture
def voc2012() -> Path:
    return _real("voc2012_100")


def _annotation(size: tuple[int, int], objects: Sequence[VocObject], difficult: Sequence[int]) -> str:
    lines = ["<annotation>", f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"]
    for i, (name, (xmin, ymin, xmax, ymax)) in enumerate(objects):
        lines += [
            f"<object><name>{name}</name><difficult>{int(i in difficult)}</difficult>",
            f"<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>",
            "</object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])


class VocFolder:
    """A Pascal VOC data set that a test writes image by image."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (root / part).mkdir(parents=True)

    def add(
        self,
        image_id: str,
        objects: Sequence[VocObject] = (("cell", (11, 21, 50, 60)),),
        *,
        size: tuple[int, int] = (100, 80),
        difficult: Sequence[int] = (),
        split: str = "train",
    ) -> Path:
        """Write a noise image with these boxes (difficult: their numbers) and list it; returns the annotation."""
        seed = sum(image_id.encode())
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(self.root / "JPEGImages" / f"{image_id}.png")
        annotation = self.root / "Annotations" / f"{image_id}.xml"
        annotation.write_text(_annotation(size, objects, difficult))
        self.list_image(image_id, split)
        return annotation

    def list_image(self, line: str, split: str = "train") -> None:
        with (self.root / "ImageSets" / "Main" / f"{split}.txt").open("a") as file:
            file.write(f"{line}\n")


@pytest.fixture
def voc(tmp_path: Path) -> VocFolder:
    return VocFolder(tmp_path / "voc")
