"""The child's entry point, played in processes of its own where signals and exits matter."""

import json
import os
import subprocess
import sys
from pathlib import Path

from fgfi_core import errors, events
from fgfi_core.spec import DETECTORS
from worker.environment import child_environment
from worker.runner import Speaker


def spoken(event: events.Event) -> events.Event:
    read, write = os.pipe()
    speak = Speaker(write)
    speak(event)
    speak.close()
    line = os.read(read, 65536)
    os.close(read)
    return events.parse(line)


def test_every_number_arrives_as_it_was() -> None:
    sent = events.Metrics(stage="teacher", seed=0, step=1, epoch=0.1, values={"a": 0.1, "b": float("inf")})
    assert spoken(sent) == sent


def test_a_loss_that_is_no_number_arrives_as_such() -> None:
    arrived = spoken(events.Metrics(stage="teacher", seed=0, step=1, epoch=0.1, values={"loss": float("nan")}))
    assert isinstance(arrived, events.Metrics)
    assert arrived.values["loss"] != arrived.values["loss"]


def test_a_message_in_a_broken_encoding_arrives_readable() -> None:
    arrived = spoken(events.Log(level="info", message="caf\udce9.jpg"))
    assert arrived == events.Log(level="info", message="caf?.jpg")


def play(folder: Path, spec: object, *, parent: int | None = None) -> tuple[int, list[events.Event]]:
    """Run the real runner on a folder without data; returns its exit code and what it said."""
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "data").mkdir()
    (folder / "out").mkdir()
    read, write = os.pipe()
    control, hold = os.pipe()
    try:
        code = subprocess.run(
            [
                sys.executable,
                "-P",
                "-m",
                "worker.runner",
                str(folder),
                f"--events-fd={write}",
                f"--control-fd={control}",
                f"--parent={os.getpid() if parent is None else parent}",
            ],
            pass_fds=(write, control),
            env=child_environment(os.environ, folder, 1),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
    finally:
        for descriptor in (write, control, hold):
            os.close(descriptor)
    with os.fdopen(read, "rb") as pipe:
        return code, [events.parse(line) for line in pipe]


def test_a_wrong_spec_is_said_before_torch_is_loaded(tmp_path: Path) -> None:
    code, said = play(tmp_path, {"name": "x"})
    assert code == errors.EXIT_BAD_SPEC
    assert isinstance(said[0], events.RunFailed)
    assert said[0].code == "bad_spec"


def test_bad_data_has_its_own_exit_code(tmp_path: Path) -> None:
    detector = next(iter(DETECTORS))
    spec = {"name": "x", "dataset": {}, "teacher": {"detector": detector}, "student": {"detector": detector}}
    code, said = play(tmp_path, spec)
    assert code == errors.EXIT_BAD_DATA
    assert isinstance(said[-1], events.RunFailed)


def test_a_child_without_its_supervisor_does_nothing(tmp_path: Path) -> None:
    code, said = play(tmp_path, {}, parent=1)
    assert (code, said) == (1, [])
