import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from worker import alive


def asked(file: Path | None, within: float = 90) -> "subprocess.CompletedProcess[str]":
    """`python -m worker.alive` in the environment of a part."""
    needed = {"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x", "STORAGE_URL": "file:///x"}
    environment = {f"FGFI_{name}": value for name, value in needed.items()}
    environment["FGFI_SECRET_KEY"] = "unit-tests-need-a-secret-of-some-length"
    if file is not None:
        environment["FGFI_ALIVE_FILE"] = str(file)
    command = [sys.executable, "-m", "worker.alive", f"--within={within}"]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_process_that_gave_a_sign_lives(tmp_path: Path) -> None:
    alive.beat(tmp_path / "alive")

    assert asked(tmp_path / "alive").returncode == 0


def test_an_old_sign_is_none(tmp_path: Path) -> None:
    alive.beat(tmp_path / "alive")
    long_ago = time.time() - 1000
    os.utime(tmp_path / "alive", (long_ago, long_ago))

    done = asked(tmp_path / "alive", within=60)

    assert done.returncode == 1
    assert "s old, more than 60" in done.stderr


def test_without_any_sign_it_says_so(tmp_path: Path) -> None:
    assert asked(tmp_path / "alive").stderr.startswith("there was no sign of life yet")


def test_where_nobody_asks_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    alive.beat(None)

    assert list(tmp_path.iterdir()) == []
