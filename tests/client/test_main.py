"""The command as a person or a script runs it: its words and its exit codes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from client.errors import EXIT_UNREACHABLE, EXIT_USAGE
from client.main import main
from fgfi_core.spec import DETECTORS

Run = Callable[..., tuple[int, str, str]]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "bccd.yaml"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `fgfi` with these words: exit code, output, errors. No service runs on this machine's user folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def run_it(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fgfi", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        output = capsys.readouterr()
        return code, output.out, output.err

    return run_it


def test_the_detectors_are_listed_without_a_service(run: Run) -> None:
    code, out, _ = run("detectors")

    assert code == 0
    assert all(name in out for name in DETECTORS)


def test_the_detectors_fit_a_terminal_of_eighty_columns_with_a_line_each(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    lines = run("detectors")[1].splitlines()

    assert max(map(len, lines)) <= 80
    # Whatever is not a description stands on the line that begins with a name.
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["detector", *DETECTORS]


def test_the_detectors_are_one_document_for_programs(run: Run) -> None:
    code, out, _ = run("detectors", "--json")

    assert code == 0
    assert [info["name"] for info in json.loads(out)] == list(DETECTORS)


def test_a_wrong_detector_is_refused_before_anything_is_sent(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "job.yaml"
    spec.write_text(EXAMPLE.read_text().replace("ssd-shufflenetv2-0.25x", "ssd-shufflenetv2-0.2x"))

    code, _, err = run("submit", spec, "--dataset", "ds_1")

    assert code == EXIT_USAGE
    assert "job.yaml has one mistake" in err
    assert "student.detector: there is no detector 'ssd-shufflenetv2-0.2x'. Did you mean" in err


def test_a_missing_spec_is_named(run: Run) -> None:
    code, _, err = run("submit", "absent.yaml")

    assert (code, err) == (EXIT_USAGE, "fgfi: there is no file absent.yaml\n")


def test_a_spec_without_a_data_set_says_how_to_name_one(run: Run) -> None:
    code, _, err = run("submit", EXAMPLE)

    assert code == EXIT_USAGE
    assert "--dataset NAME" in err


def test_without_a_service_the_exit_code_says_so(run: Run) -> None:
    code, _, err = run("jobs")

    assert code == EXIT_UNREACHABLE
    assert err.splitlines() == [
        "fgfi: no service is known on this machine",
        "  start one with `fgfi up`, or set FGFI_URL and FGFI_API_KEY",
    ]


def test_for_programs_an_error_is_a_document_too(run: Run) -> None:
    code, out, err = run("jobs", "--json")

    assert code == EXIT_UNREACHABLE
    assert err == ""
    assert json.loads(out)["error"]["message"] == "no service is known on this machine"


def test_a_folder_that_is_not_there_cannot_be_added(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGFI_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FGFI_API_KEY", "fgfi_x")

    code, _, err = run("datasets", "add", "absent")

    assert (code, err) == (EXIT_USAGE, "fgfi: there is no file or folder absent\n")


def test_training_on_a_folder_that_is_not_there_is_refused(run: Run) -> None:
    code, _, err = run("train", EXAMPLE, "--data", "absent", "--out", "out")

    assert (code, err) == (EXIT_USAGE, "fgfi: there is no folder absent\n")


def test_training_on_an_archive_says_to_unpack_it(run: Run, tmp_path: Path) -> None:
    packed = tmp_path / "cells.zip"
    packed.write_bytes(b"PK")

    code, _, err = run("train", EXAMPLE, "--data", packed, "--out", "out")

    assert (code, err) == (EXIT_USAGE, f"fgfi: {packed} is a file: unpack it, and name the folder\n")


def test_the_demo_on_a_folder_that_is_not_there_is_refused(run: Run) -> None:
    code, _, err = run("demo", "--data-set", "absent")

    assert (code, err) == (EXIT_USAGE, "fgfi: there is no folder absent\n")


def test_an_unknown_command_is_a_usage_error(run: Run) -> None:
    assert run("destil")[0] == EXIT_USAGE


def test_the_exit_codes_are_in_the_help(run: Run) -> None:
    code, out, _ = run("--help")

    assert code == 0
    assert "Exit codes: 0 done" in " ".join(out.split())
