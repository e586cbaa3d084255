"""`fgfi region` on a made-up data set: what is drawn, what is said, what is refused."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from client.errors import EXIT_USAGE
from client.main import main

Run = Callable[..., tuple[int, str, str]]
WORDS = ("--detector", "ssd-shufflenetv2-0.25x", "--image-size", "128x64")
OBJECT = (
    "<object><name>cell</name><difficult>{hard}</difficult><bndbox><xmin>{x}</xmin><ymin>11</ymin><xmax>{to}</xmax>"
    "<ymax>50</ymax></bndbox></object>"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two images of 160 x 80 pixels with a cell at the left; the second has a difficult one, too."""
    root = tmp_path / "cells"
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / part).mkdir(parents=True)
    for name, extra in (("one", ""), ("two", OBJECT.format(hard=1, x=101, to=140))):
        Image.fromarray(np.full((80, 160, 3), 128, np.uint8)).save(root / "JPEGImages" / f"{name}.png")
        size = "<size><width>160</width><height>80</height><depth>3</depth></size>"
        text = f"<annotation>{size}{OBJECT.format(hard=0, x=11, to=50)}{extra}</annotation>"
        (root / "Annotations" / f"{name}.xml").write_text(text)
    (root / "ImageSets" / "Main" / "train.txt").write_text("one\ntwo\n")
    return root


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fgfi", "region", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
        output = capsys.readouterr()
        return code, output.out, output.err

    return run_it


def test_an_image_becomes_a_picture_with_its_boxes_and_the_share_of_its_cells(
    run: Run, data: Path, tmp_path: Path
) -> None:
    code, out, _ = run("two", "--data", data, "--out", tmp_path / "out", "--json", *WORDS)

    (one,) = json.loads(out)
    (level,) = one["levels"]
    assert code == 0
    assert (level["stride"], level["cells"]) == (16, [4, 8])
    assert 0 < level["share"] == one["share"] < 0.6
    # The difficult box takes no part, and the anchors are this one box's own shape.
    assert [(box["class"], box["box"]) for box in one["boxes"]] == [("cell", [10, 10, 50, 50])]
    assert one["boxes"][0]["best_iou"] > 0.5
    with Image.open(one["picture"]) as picture:
        assert picture.size == (640, 320 + 28)
        left, right = (picture.convert("RGB").getpixel((x, 120)) for x in (120, 600))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[1] > 2 * right[1]


def test_an_image_is_found_by_its_file_as_well(run: Run, data: Path, tmp_path: Path) -> None:
    code, out, _ = run(data / "JPEGImages" / "one.png", "two.png", "--data", data, "--out", tmp_path / "out", *WORDS)

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["image", "one", "two"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one.region.png", "two.region.png"]


def test_several_maps_are_panels_of_one_picture(run: Run, data: Path, tmp_path: Path) -> None:
    words = ("--detector", "ssdlite320-mobilenet-v3", "--image-size", "96x96", "--levels", "assigned")

    _, out, _ = run("one", "--data", data, "--out", tmp_path / "out", "--json", *words)

    (one,) = json.loads(out)
    assert len(one["levels"]) == len(one["boxes"][0]["best_iou_by_level"]) == 6
    # A box belongs to one map alone.
    assert sum(level["share"] > 0 for level in one["levels"]) == 1
    with Image.open(one["picture"]) as picture:
        assert picture.width == 3 * 640 + 2 * 8


def test_of_a_fitted_image_the_padding_is_not_in_the_picture(run: Run, data: Path, tmp_path: Path) -> None:
    words = ("--detector", "ssd-shufflenetv2-0.25x", "--image-size", "128x128", "--resize", "fit")

    code, out, _ = run("one", "--data", data, "--out", tmp_path / "out", "--json", *words)

    (one,) = json.loads(out)
    assert code == 0
    # The image of 160 x 80 lies in the upper half of the input: of its 8 x 8 cells, 4 rows.
    assert one["levels"][0]["cells"] == [4, 8]
    assert 0 < one["share"] < 0.6
    with Image.open(one["picture"]) as picture:
        assert picture.size == (640, 320 + 28)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("three",), "the data set has no image 'three'"),
        (("one", "--detector", "yolo"), "there is no detector 'yolo'"),
        (("one", "--image-size", "big"), "give width and height from 32 to 4096"),
    ],
)
def test_what_cannot_be_drawn_is_said(run: Run, data: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    code, _, err = run("--data", data, "--out", tmp_path / "out", *WORDS, *words)

    assert code == EXIT_USAGE
    assert said in err
