import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from embedded import leftovers

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_what_an_earlier_run_left_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP) as left:
        leftovers.record(tmp_path, [(left.pid, signal.SIGTERM)])

        assert leftovers.end_recorded(tmp_path) == 1

        assert not psutil.pid_exists(left.pid)


def test_a_stranger_that_got_the_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        leftovers.record(tmp_path, [(stranger.pid, signal.SIGTERM)])
        notes = json.loads((tmp_path / "processes.json").read_text())
        notes[0]["born"] -= 3600
        (tmp_path / "processes.json").write_text(json.dumps(notes))

        assert leftovers.end_recorded(tmp_path) == 0

        assert psutil.Process(stranger.pid).is_running()
        stranger.kill()


def test_without_a_record_there_is_nothing_to_end(tmp_path: Path) -> None:
    assert leftovers.end_recorded(tmp_path) == 0


def test_a_record_that_was_cut_off_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "processes.json").write_text('[{"pid": 1')

    assert leftovers.end_recorded(tmp_path) == 0
