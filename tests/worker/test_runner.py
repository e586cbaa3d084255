"""The child's entry point, played in processes of its own where signals and exits matter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fgfi_core import errors, events
from fgfi_core.spec import DETECTORS, JobSpec
from worker.environment import child_environment
from worker.runner import Speaker, is_out_of_memory, with_micro_batch

ROOT = Path(__file__).parents[2]


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


def play(
    folder: Path, spec: object, *, parent: int | None = None, spare: bool = False
) -> tuple[int, list[events.Event]]:
    """Run the real runner on a folder without data; returns its exit code and what it said."""
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "data").mkdir()
    (folder / "out").mkdir()
    read, write = os.pipe()
    control, hold = os.pipe()
    if spare:
        os.write(hold, json.dumps([str(folder)]).encode() + b"\n")
    try:
        code = subprocess.run(
            [
                sys.executable,
                "-P",
                "-m",
                "worker.runner",
                "/nowhere" if spare else str(folder),
                f"--events-fd={write}",
                f"--control-fd={control}",
                f"--parent={os.getpid() if parent is None else parent}",
                *(["--spare"] if spare else []),
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


def test_memory_beyond_the_limit_is_refused() -> None:
    program = "from worker.runner import limit; limit(300 * 2**20); bytearray(400 * 2**20)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "MemoryError"


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), True),
        (RuntimeError("shapes differ"), False),
    ],
)
def test_running_out_of_memory_is_known_by_what_it_says(error: Exception, known: bool) -> None:
    assert is_out_of_memory(error) is known


def test_fewer_images_at_once_change_nothing_else() -> None:
    detector = next(iter(DETECTORS))
    asked = {"name": "x", "dataset": {}, "teacher": {"detector": detector}, "student": {"detector": detector}}
    spec = JobSpec.model_validate(asked)
    smaller = with_micro_batch(spec, 4)
    assert smaller.schedule.micro_batch == 4
    assert with_micro_batch(smaller, 8) == with_micro_batch(spec, 8)
    assert smaller.model_copy(update={"schedule": spec.schedule}) == spec


def test_a_spare_does_the_same_in_the_folder_it_is_told(tmp_path: Path) -> None:
    code, said = play(tmp_path, {"name": "x"}, spare=True)
    assert code == errors.EXIT_BAD_SPEC
    assert isinstance(said[0], events.RunFailed)


def test_a_process_that_takes_more_than_its_limit_is_out_of_memory_and_not_killed() -> None:
    program = (
        "from worker.runner import is_out_of_memory, limit\n"
        "limit(300 * 2**20)\n"
        "try:\n"
        "    bytearray(400 * 2**20)\n"
        "except MemoryError as error:\n"
        "    print(is_out_of_memory(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "True\n"
