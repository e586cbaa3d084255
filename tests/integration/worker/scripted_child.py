"""Stands in for `worker.runner`: speaks the same pipes, but plays a scene instead of training.

python scripted_child.py SCENE[:ARGUMENT] FOLDER --events-fd N --control-fd N --parent PID [--micro-batch N]
"""

import hashlib
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from fgfi_core import errors, events
from worker.runner import EXITS, Control, Speaker, die_with, show_faults, wait_for_job

GIVEN: dict[str, str] = {}


def checkpoint(folder: Path, step: int, *, final: bool = False, stage: str = "teacher") -> events.CheckpointSaved:
    path = f"checkpoints/{stage}-0/{'final' if final else f'step-{step:09d}'}.pt"
    file = folder / "out" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(f"{stage} {step}".encode())
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return events.CheckpointSaved(
        stage=stage,
        seed=0,
        step=step,
        final=final,
        path=path,
        size=file.stat().st_size,
        sha256=sha256,
    )


def artifact(folder: Path) -> events.ArtifactWritten:
    file = folder / "out" / "student.onnx"
    file.write_bytes(b"a small student")
    return events.ArtifactWritten(
        name="student",
        format="onnx",
        path="student.onnx",
        media_type="application/octet-stream",
        size=15,
        sha256=hashlib.sha256(b"a small student").hexdigest(),
        facts={"map50": 0.5, "latency_ms": float("nan")},
    )


def metrics(step: int, value: float) -> events.Metrics:
    return events.Metrics(stage="teacher", seed=0, step=step, epoch=step / 10, values={"loss": value})


def wait_for_request(control: Control) -> str:
    deadline = time.monotonic() + 60
    while not control() and time.monotonic() < deadline:
        time.sleep(0.01)
    return control.asked or "nobody"


def success(folder: Path, speak: Speaker, _: Control) -> int:
    assert (folder / "data" / "classes.txt").read_text() == "cell"
    speak(events.StageStarted(stage="teacher", seed=0, step=0, steps=2))
    speak(events.SpecResolved(resolved={"batch_size": 8, "device": "cuda: a card"}))
    for step in range(2):
        speak(metrics(step, 1.0 / (step + 1)))
    speak(metrics(2, float("nan")))
    speak(checkpoint(folder, 2, final=True))
    speak(events.Log(level="info", message="a line for the reader", code=""))
    speak(events.StageFinished(stage="teacher", seed=0, seconds=1.0, summary={"map50": 0.5}))
    speak(events.StageStarted(stage="report", seed=0))
    speak(artifact(folder))
    speak(events.RunFinished(result={"name": "cells"}))
    return 0


def on_the_way(folder: Path, speak: Speaker, _: Control) -> int:
    """Two checkpoints on the way, and a result."""
    for step in (1, 2):
        speak(checkpoint(folder, step))
    speak(checkpoint(folder, 3, final=True))
    speak(events.RunFinished(result={"name": "cells"}))
    return 0


def bad_data(_: Path, speak: Speaker, __: Control) -> int:
    speak(events.RunFailed(code="bad_data", message="a.xml:3: no boxes", hint="Mend it."))
    return errors.EXIT_BAD_DATA


def crash_once(folder: Path, speak: Speaker, _: Control) -> int:
    """Crash after two checkpoints and a finished stage; the second attempt finds them."""
    states = sorted(path.relative_to(folder / "out").as_posix() for path in (folder / "out").rglob("*.pt"))
    if states:
        speak(checkpoint(folder, 9, final=True))
        speak(events.Log(level="info", message=" ".join(states), code="found"))
        speak(events.RunFinished(result={"name": "cells"}))
        return 0
    speak(checkpoint(folder, 1))
    speak(checkpoint(folder, 9, final=True))
    speak(checkpoint(folder, 3, stage="baseline"))
    speak(checkpoint(folder, 6, stage="baseline"))
    print("about to crash", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def crash(_: Path, __: Speaker, ___: Control) -> int:
    raise RuntimeError("a fault of the code")


def until_asked(folder: Path, speak: Speaker, control: Control) -> int:
    """Train until asked to stop, then write a checkpoint, as the real run does."""
    if (folder / "out" / "checkpoints").exists():
        speak(events.RunFinished(result={"name": "resumed"}))
        return 0
    speak(events.StageStarted(stage="teacher", seed=0))
    request = wait_for_request(control)
    speak(checkpoint(folder, 4))
    return EXITS[request]


def deaf(_: Path, speak: Speaker, __: Control) -> int:
    """Hear nothing, and have a child of one's own."""
    if os.fork() == 0:
        time.sleep(120)
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    speak(events.StageStarted(stage="teacher", seed=0))
    time.sleep(120)
    return 0


def environment(_: Path, speak: Speaker, __: Control) -> int:
    speak(events.RunFinished(result=dict(os.environ)))
    return 0


def surroundings(_: Path, speak: Speaker, __: Control) -> int:
    """What a curious program would look at first. The folder's own descriptor is gone once it was listed."""
    links = []
    for descriptor in list(Path("/proc/self/fd").iterdir()):
        with suppress(FileNotFoundError):
            links.append(str(descriptor.readlink()))
    environ = Path("/proc/self/environ").read_bytes().decode().split("\0")
    speak(events.RunFinished(result={"descriptors": links, "environ": environ, "group": os.getpgrp() == os.getpid()}))
    return 0


def leave(_: Path, __: Speaker, ___: Control) -> int:
    """End with the argument as the exit code, without a word."""
    return int(GIVEN["argument"])


def hang(_: Path, speak: Speaker, __: Control) -> int:
    speak(events.StageStarted(stage="teacher", seed=0))
    wait_for_ever()
    return 0


def wait_for_ever() -> None:
    threading.Event().wait()


def fault(_: Path, __: Speaker, ___: Control) -> int:
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


def flood(_: Path, speak: Speaker, __: Control) -> int:
    """100 MB of junk on standard output and 20 MB on the events' own pipe, half of it without an end of line."""
    junk = b"\xff junk " * 8192
    for _round in range(100 * 2**20 // len(junk)):
        os.write(1, junk)
    for _round in range(10 * 2**20 // len(junk)):
        os.write(int(GIVEN["--events-fd"]), junk)
    os.write(int(GIVEN["--events-fd"]), b"\n" + (b"x" * 1023 + b"\n") * 10 * 1024)
    speak(events.RunFinished(result={"name": "cells"}))
    return 0


def too_large(_: Path, speak: Speaker, __: Control) -> int:
    """Run out of memory unless told to take fewer images at once than the argument."""
    images = int(GIVEN.get("--micro-batch", "32"))
    speak(events.SpecResolved(resolved={"spec": {"schedule": {"batch_size": 32, "micro_batch": images}}}))
    if images < int(GIVEN["argument"]):
        speak(events.RunFinished(result={"images": images}))
        return 0
    speak(events.RunFailed(code="out_of_memory", message="Memory ran out.", hint="Use a smaller batch_size."))
    return errors.EXIT_OUT_OF_MEMORY


def swell(_: Path, speak: Speaker, __: Control) -> int:
    """Two processes with so many MiB each, for ever."""
    speak(events.StageStarted(stage="teacher", seed=0))
    os.fork()
    held = b"x" * (int(GIVEN["argument"]) * 2**20)
    wait_for_ever()
    return len(held)


def who(_: Path, speak: Speaker, __: Control) -> int:
    speak(events.RunFinished(result={"pid": os.getpid(), "images": GIVEN.get("--micro-batch")}))
    return 0


def main() -> None:
    scene, folder, *descriptors = sys.argv[1:]
    GIVEN.update(dict(part.split("=") for part in descriptors if part != "--spare"))
    scene, _, GIVEN["argument"] = scene.partition(":")
    die_with(int(GIVEN["--parent"]))
    show_faults()
    if "--spare" in descriptors:
        folder, *options = wait_for_job(int(GIVEN["--control-fd"]))
        GIVEN.update(dict(part.split("=") for part in options))
    control, speak = Control(int(GIVEN["--control-fd"])), Speaker(int(GIVEN["--events-fd"]))
    code = globals()[scene](Path(folder), speak, control)
    os._exit(code)


if __name__ == "__main__":
    main()
