"""`fgfi datasets check` and `convert`: what a person or a script sees of data on this disk."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from client.errors import EXIT_JOB_FAILED, EXIT_USAGE
from client.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `fgfi datasets` with these words: exit code, output, errors."""

    def run_it(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fgfi", "datasets", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
        output = capsys.readouterr()
        return code, output.out, output.err

    return run_it


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A small YOLO data set: a large box, a tiny one, and an image without any."""
    root = tmp_path / "cells"
    (root / "data.yaml").parent.mkdir()
    (root / "data.yaml").write_text("names: [cell, dot]\ntrain: images/train\nval: images/val\n")
    for number, (split, line) in enumerate(
        [("train", "0 0.5 0.5 0.6 0.6\n1 0.5 0.5 0.05 0.05\n"), ("train", ""), ("val", "1 0.2 0.2 0.1 0.2\n")]
    ):
        for part in ("images", "labels"):
            (root / part / split).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(root / f"images/{split}/{number}.png")
        (root / f"labels/{split}/{number}.txt").write_text(line)
    return root


def test_a_usable_data_set_is_described_with_exit_code_0(run: Run, cells: Path) -> None:
    code, out, _ = run("check", cells)
    lines = out.splitlines()
    assert code == 0
    assert lines[:2] == ["yolo, usable: no problems", "3 images of 64 by 64 pixels, 3 boxes, 2 classes"]
    assert "train       2      1      2" in lines
    assert "dot        2       2  5x8         2       0      0" in lines


def test_the_description_fits_eighty_columns(run: Run, cells: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run("check", cells, "--image-size", "320x240")[1]
    assert max(map(len, out.splitlines())) <= 80


def test_tiny_boxes_are_counted_at_the_size_asked_for(run: Run, cells: Path) -> None:
    out = run("check", cells, "--image-size", "32x64")[1]
    lines = [line.split() for line in out.splitlines()]
    assert ["8", "1", "33.3", "%"] in lines
    assert ["16", "2", "66.7", "%"] in lines


def test_for_programs_the_whole_report_is_one_document(run: Run, cells: Path) -> None:
    code, out, _ = run("check", cells, "--json", "--image-size", "32x64")
    report = json.loads(out)
    assert code == 0
    assert (report["format"], report["images"], report["boxes"], report["problems"]) == ("yolo", 3, 3, [])
    assert {name: split["images"] for name, split in report["splits"].items()} == {"train": 2, "val": 1}
    assert {name: one["boxes"] for name, one in report["classes"].items()} == {"cell": 1, "dot": 2}
    assert [at["boxes"] for at in report["statistics"]["tiny"]["strides"]] == [1, 2, 2]


def test_what_is_not_usable_names_file_and_line_and_ends_with_6(run: Run, cells: Path) -> None:
    (cells / "labels/train/0.txt").write_text("0 0.5 0.5 0.6 0.6\n7 0.5 0.5 0.1 0.1\n")
    code, out, _ = run("check", cells)
    assert code == EXIT_JOB_FAILED
    assert "yolo, not usable: 1 error" in out
    assert "  error: labels/train/0.txt:2: class is '7'; data.yaml names the classes 0 to 1" in out
    code, out, _ = run("check", cells, "--json")
    (problem,) = json.loads(out)["problems"]
    assert code == EXIT_JOB_FAILED
    assert (problem["file"], problem["line"], problem["severity"]) == ("labels/train/0.txt", 2, "error")


def test_what_is_no_data_set_is_refused_with_6(run: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    code, _, err = run("check", tmp_path / "photos")
    assert code == EXIT_JOB_FAILED
    assert err.startswith("fgfi: No known data set format")


def test_an_archive_is_unpacked_checked_and_leaves_nothing(
    run: Run, cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    packed = tmp_path / "cells.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in cells.rglob("*"):
            archive.write(path, path.relative_to(cells.parent))
    code, out, _ = run("check", packed, "--json")
    assert (code, json.loads(out)["images"]) == (0, 3)
    assert list(scratch.iterdir()) == []


def test_an_archive_that_leads_out_is_refused(run: Run, tmp_path: Path) -> None:
    packed = tmp_path / "evil.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../evil.txt", "out")
    code, _, err = run("check", packed)
    assert code == EXIT_JOB_FAILED
    assert "points outside the archive" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "absent"), "there is no file or folder absent"),
        (("check", "pyproject.toml"), "pyproject.toml is neither a folder nor an archive"),
        (("check", "docs", "--image-size", "320"), "--image-size: '320' is no size"),
        (("check", "docs", "--image-size", "0x9"), "--image-size: '0x9' is no size"),
    ],
)
def test_wrong_words_are_usage_errors(
    run: Run, words: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    code, _, err = run(*words)
    assert (code, err.splitlines()[0]) == (EXIT_USAGE, f"fgfi: {message}")


def test_many_problems_are_cut_short_and_counted(run: Run, cells: Path) -> None:
    (cells / "labels/train/0.txt").write_text("0 0.5 0.5 0.6 0.6\n" + "0 0.5 0.5 0 0.1\n" * 30)
    out = run("check", cells)[1]
    assert out.count("warning: labels/train/0.txt:") == 20
    assert "  and 10 more; with --json the first 30 are listed" in out


def test_a_conversion_tells_what_was_written_and_what_was_lost(run: Run, cells: Path, tmp_path: Path) -> None:
    code, out, _ = run("convert", cells, tmp_path / "out", "--to", "voc")
    assert code == 0
    assert out.splitlines() == [
        f"{tmp_path / 'out'}: voc, 3 images, 3 boxes, 2 classes",
        "split  images",
        "train       2",
        "val         1",
    ]
    (cells / "labels/train/0.txt").write_text("0 0.5 0.5 0.6 0.6\n0 0.5 0.5 0 0.1\n1 0.5 0.5 0.01 0.5\n")
    out = run("convert", cells, tmp_path / "again", "--to", "voc")[1]
    assert out.splitlines()[-2:] == [
        "  warning: labels/train/0.txt:2: box (0.5 0.5 0 0.1) has no area; dropped",
        "  warning: voc cannot hold 1 boxes of at most one pixel in width or height",
    ]


def test_a_conversion_is_one_document_for_programs(run: Run, cells: Path, tmp_path: Path) -> None:
    code, out, _ = run("convert", cells, tmp_path / "out", "--to", "coco", "--link", "--json")
    assert code == 0
    assert json.loads(out) == {
        "source_format": "yolo",
        "format": "coco",
        "images": 3,
        "boxes": 3,
        "classes": ["cell", "dot"],
        "splits": {"train": 2, "val": 1},
        "losses": [],
        "renamed": {},
        "problems": [],
    }
    assert (tmp_path / "out/train/0.png").samefile(cells / "images/train/0.png")


def test_a_target_that_is_there_is_left_alone(run: Run, cells: Path) -> None:
    code, _, err = run("convert", cells, cells, "--to", "voc")
    assert (code, err) == (EXIT_USAGE, f"fgfi: {cells} exists already and is not an empty folder\n")


def test_a_source_that_is_not_there_is_a_wrong_command_line(run: Run, tmp_path: Path) -> None:
    code, _, err = run("convert", tmp_path / "absent", tmp_path / "out", "--to", "voc")
    assert (code, err) == (EXIT_USAGE, f"fgfi: there is no folder {tmp_path / 'absent'}\n")


def test_an_archive_is_not_converted_and_the_message_says_what_to_do(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cells.zip"
    file.touch()
    code, _, err = run("convert", file, tmp_path / "out", "--to", "voc")
    assert (code, err) == (EXIT_USAGE, f"fgfi: {file} is no folder\n  unpack the archive first\n")


def test_a_source_that_cannot_be_read_is_refused_with_6(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    code, _, err = run("convert", tmp_path / "nothing", tmp_path / "out", "--to", "voc")
    assert code == EXIT_JOB_FAILED
    assert "No known data set format" in err
