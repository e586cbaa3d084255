"""The child's entry point: reads a job folder, runs the science, writes JSON lines. Knows no queue and no database.

    python -m worker.runner FOLDER --events-fd N --control-fd N --parent PID [--micro-batch N] [--memory BYTES]

With `--spare` it loads torch and then waits for FOLDER and options as a line of JSON on the control pipe.
FOLDER holds `spec.json`, `data` and, of models, `weights/<side>.safetensors`; it gets `out`. The control pipe says
`cancel`, `pause` or `preempt`; its end means that the supervisor is gone. SIGUSR1 prints the stack of every thread.
The exit code tells how the run ended (`fgfi_core/errors.py`).
"""

import argparse
import ctypes
import faulthandler
import importlib
import json
import os
import resource
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from pydantic_core import from_json

import fgfi_core
from fgfi_core import errors
from fgfi_core.events import Event, RunFailed
from fgfi_core.spec import JobSpec
from fgfi_core.spec.evaluation import EvaluationSpec

EXITS = {
    "cancel": errors.EXIT_CANCELLED,
    "pause": errors.EXIT_PAUSED,
    "preempt": errors.EXIT_PREEMPTED,
}
EXIT_BROKEN = 1
SIDES: tuple[Literal["teacher", "student"], ...] = ("teacher", "student")
_PR_SET_PDEATHSIG = 1


class Control:
    """What the supervisor asked for, if anything."""

    def __init__(self, descriptor: int) -> None:
        self.asked: str | None = None
        self._descriptor = descriptor
        signal.signal(signal.SIGTERM, self._on_sigterm)
        # Ctrl-C in a terminal reaches every process: the supervisor decides for us.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=self._listen, name="control", daemon=True).start()

    def __call__(self) -> bool:
        """Whether the run shall stop at the next step."""
        return self.asked is not None

    def _on_sigterm(self, *_: object) -> None:
        self.asked = self.asked or "preempt"

    def _listen(self) -> None:
        with os.fdopen(self._descriptor) as pipe:
            for line in pipe:
                if line.strip() in EXITS:
                    self.asked = line.strip()
        # Nobody is left to take what we write, and another worker may have the job by now.
        os._exit(EXIT_BROKEN)


class Speaker:
    """Writes events, one JSON line each."""

    def __init__(self, descriptor: int) -> None:
        # Data loading processes that the run starts must not hold the pipe open.
        os.set_inheritable(descriptor, False)
        self._pipe = os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", buffering=1)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Say one thing."""
        # Not pydantic's own JSON: it writes NaN as null, and a diverged loss must arrive as what it is.
        line = json.dumps(event.model_dump(mode="python"), default=str, ensure_ascii=False) + "\n"
        with self._lock:
            self._pipe.write(line)

    def close(self) -> None:
        """Say no more."""
        self._pipe.close()


def run(folder: Path, speak: Speaker, control: Control, micro_batch: int | None = None) -> int:
    """Run the job of a folder; returns the exit code. micro_batch: images at once, after one that was too large."""
    try:
        spec = read_spec(folder / "spec.json")
    except ValidationError as error:
        speak(RunFailed(code="bad_spec", message=str(error), hint="Submit the job again with a corrected spec."))
        return errors.EXIT_BAD_SPEC
    try:
        # Looked up only now: this loads torch, and a wrong spec need not wait for it.
        if isinstance(spec, EvaluationSpec):
            weights = folder / "weights" / "model.safetensors"
            out = folder / "out"
            fgfi_core.evaluate_model(spec, folder / "data", out, weights, speak, should_stop=control)
        else:
            spec = spec if micro_batch is None else with_micro_batch(spec, micro_batch)
            files = {side: path for side in SIDES if (path := folder / "weights" / f"{side}.safetensors").exists()}
            fgfi_core.run(spec, folder / "data", folder / "out", speak, should_stop=control, weights=files)
    except errors.Stopped:
        return EXITS[control.asked or "preempt"]
    except errors.JobError as error:
        speak(RunFailed(code=error.code, message=error.message, hint=error.hint))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told to the supervisor, with its trace in the log
        traceback.print_exc()
        if is_out_of_memory(error):
            hint = "Use a smaller schedule.batch_size or schedule.image_size."
            speak(RunFailed(code="out_of_memory", message=f"Memory ran out: {error}", hint=hint))
            return errors.EXIT_OUT_OF_MEMORY
        return EXIT_BROKEN
    return errors.EXIT_OK


def read_spec(path: Path) -> JobSpec | EvaluationSpec:
    """The spec of a folder, of whichever kind it says. Raises pydantic's ValidationError."""
    content = path.read_bytes()
    told = from_json(content)
    kind = told.get("kind") if isinstance(told, dict) else None
    return (EvaluationSpec if kind == "evaluation" else JobSpec).model_validate_json(content)


def with_micro_batch(spec: JobSpec, images: int) -> JobSpec:
    """The spec with so many images at once through the detector; nothing else changes."""
    return spec.model_copy(update={"schedule": spec.schedule.model_copy(update={"micro_batch": images})})


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the host or of the device. Told by names: torch need not have been loaded."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
    )


def die_with(parent: int) -> None:
    """Ask Linux to end us with our parent. Elsewhere the end of the control pipe does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(EXIT_BROKEN)


def limit(memory: int | None) -> None:
    """No core dumps (they hold users' images), as many open files as are allowed, and so many bytes of memory.

    Counted is private writable memory (RLIMIT_DATA), not address space: CUDA maps far more of that than it uses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if memory is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def show_faults() -> None:
    """Print the stack of every thread when the interpreter crashes, and whenever SIGUSR1 asks for it."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)


def wait_for_job(descriptor: int) -> list[str]:
    """A spare's folder and options, once they come. Ends with its supervisor."""
    line = b""
    # Byte by byte: what follows the line is for `Control`.
    while not line.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            os._exit(EXIT_BROKEN)
        line += byte
    words: list[str] = json.loads(line)
    return words


def move_to(folder: Path) -> None:
    """Live in the job's folder, as a runner that was started for it does from the beginning."""
    os.chdir(folder)
    os.environ.update(dict.fromkeys(("HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME"), str(folder)))


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events-fd", type=int, required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--micro-batch", type=int)
    parser.add_argument("--memory", type=int)
    parser.add_argument("--spare", action="store_true")
    given = parser.parse_args()
    die_with(given.parent)
    show_faults()
    os.set_inheritable(given.control_fd, False)
    os.set_inheritable(given.events_fd, False)
    if given.spare:
        # Ctrl-C in a terminal reaches every process.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        importlib.import_module("fgfi_core.training.run")
        given = parser.parse_args([*sys.argv[2:], *wait_for_job(given.control_fd)])
        move_to(given.folder)
    limit(given.memory)
    control, speak = Control(given.control_fd), Speaker(given.events_fd)
    code = run(given.folder, speak, control, given.micro_batch)
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads and handlers of libraries must not change the code or hang at the end.
    os._exit(code)


if __name__ == "__main__":
    main()
