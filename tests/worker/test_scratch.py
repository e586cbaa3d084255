import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from worker.scratch import attempt_folder

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from worker.scratch import attempt_folder

folder = Path(sys.argv[1])
with attempt_folder(folder):
    (folder / "checkpoint.pt").write_bytes(b"large")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_folder_is_there_for_the_block_and_gone_after(tmp_path: Path) -> None:
    with attempt_folder(tmp_path / "a"):
        (tmp_path / "a" / "spec.json").touch()
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_leaves_nothing_either(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), attempt_folder(tmp_path / "a"):
        raise ValueError("inside")
    assert list(tmp_path.iterdir()) == []


def test_what_links_point_to_stays(tmp_path: Path) -> None:
    scratch, data = tmp_path / "attempts", tmp_path / "data"
    for folder in (scratch, data):
        folder.mkdir()
    (data / "image.jpg").touch()
    with attempt_folder(scratch / "a"):
        (scratch / "a" / "data").symlink_to(data, target_is_directory=True)
    assert (data / "image.jpg").exists()


def test_the_folder_of_a_live_worker_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "theirs")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"

        with attempt_folder(tmp_path / "ours"):
            assert (tmp_path / "theirs" / "checkpoint.pt").exists()

        os.kill(other.pid, signal.SIGKILL)

    assert (tmp_path / "theirs").exists()
    with attempt_folder(tmp_path / "ours"):
        assert [path.name for path in tmp_path.iterdir()] == ["ours"]
