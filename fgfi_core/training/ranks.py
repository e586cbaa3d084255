"""Several processes for one run (`resources.count`): started here, or by torchrun, and ended with each other.

The process that was asked to run the job is the first of them, and keeps its pipes and its place in its process group;
it starts the others beside itself, told by torchrun's variables which they are, in the same group, without its pipes.
None of them outlives the first (`rank.py`), and the first does not outlive any of them: a training without one of its
processes could only wait for ever. Not torchrun itself, which gives each process a session of its own, out of reach of
whoever ends the group, closes the pipes of the first, and starts again what a lease decides about.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import torch
import torch.distributed as dist

from fgfi_core import errors
from fgfi_core.errors import JobError
from fgfi_core.spec import JobSpec
from fgfi_core.training.device import DEVICES_OF_ALL, Placement
from fgfi_core.training.resolve import SIDES, Weights

# Longer than any evaluation or pre-flight of the first process, for which the others wait.
PATIENCE = timedelta(days=2)
LOOK_SECONDS = 0.2
# Where the processes find each other, unless torchrun started them.
MEETING = "FGFI_MEETING"
# For the first process to fail by itself, once another is gone; one that waits for its device never would.
GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Work:
    """What each process is told: as the arguments of `run`."""

    spec: JobSpec
    data_dir: Path
    out_dir: Path
    weights: Weights

    def write(self, path: Path) -> None:
        """As a file for the others."""
        facts = {
            "spec": self.spec.model_dump(mode="json"),
            "data_dir": str(self.data_dir.absolute()),
            "out_dir": str(self.out_dir.absolute()),
            "weights": {side: str(file.absolute()) for side, file in self.weights.items()},
        }
        path.write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Work":
        """The inverse of `write`."""
        facts = json.loads(path.read_text(encoding="utf-8"))
        weights = {side: Path(facts["weights"][side]) for side in SIDES if side in facts["weights"]}
        return cls(JobSpec.model_validate(facts["spec"]), Path(facts["data_dir"]), Path(facts["out_dir"]), weights)


@contextmanager
def joined(work: Work, placement: Placement) -> Iterator[None]:
    """All processes of the run together, for the length of a block; starts those that nobody has started.

    What ends another of them ends the block: with its own error where it told one.
    """
    if work.spec.resources.count == 1:
        yield
    elif "RANK" in os.environ:
        _check_world(work.spec.resources.count)
        if placement.device.type == "cuda" and MEETING not in os.environ:
            # torchrun lets each process see every device.
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        with _group(placement, os.environ.get(MEETING, "env://"), int(os.environ["RANK"]), work.spec.resources.count):
            yield
    else:
        with (
            tempfile.TemporaryDirectory(prefix="fgfi-ranks-") as folder,
            _Others(work, placement, Path(folder)) as others,
        ):
            with others.explained(), _group(placement, others.meeting, 0, work.spec.resources.count):
                yield
            others.wait()


@contextmanager
def _group(placement: Placement, meeting: str, rank: int, count: int) -> Iterator[None]:
    if sys.platform == "linux":  # All are on this machine, and nobody else need reach them.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        os.environ.setdefault("NCCL_SOCKET_IFNAME", "lo")
    backend = "cpu:gloo,cuda:nccl" if placement.device.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=meeting, rank=rank, world_size=count, timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


class _Others:
    """The processes from the second on, with an eye on each."""

    def __init__(self, work: Work, placement: Placement, folder: Path) -> None:
        self._folder = folder
        self._over = threading.Event()
        work.write(folder / "work.json")
        self._processes = [self._start(rank, work, placement) for rank in range(1, work.spec.resources.count)]
        self._watch = threading.Thread(target=self._look, name="other processes", daemon=True)

    @property
    def meeting(self) -> str:
        """Where all find each other: a file, for a port would be open to others."""
        return (self._folder / "meeting").as_uri()

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What fails inside because another process failed becomes that one's error."""
        try:
            yield
        except JobError:
            raise
        except Exception as error:
            told = self._failure(time.monotonic() + GRACE_SECONDS / 2)
            if told is None:
                raise
            raise told from error

    def wait(self) -> None:
        """Return once all have ended."""
        self._over.set()
        for process in self._processes:
            process.wait()

    def _start(self, rank: int, work: Work, placement: Placement) -> subprocess.Popen[bytes]:
        count = work.spec.resources.count
        variables = {"RANK": str(rank), "WORLD_SIZE": str(count), MEETING: self.meeting}
        if placement.device.type == "cuda":
            variables |= {"CUDA_VISIBLE_DEVICES": _visible()[rank], DEVICES_OF_ALL: str(torch.cuda.device_count())}
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "fgfi_core.training.rank", str(self._folder), f"--parent={os.getpid()}"],
            env=os.environ | variables,
            stdin=subprocess.PIPE,  # Its end tells them that the first one is gone.
        )

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            ended = [process for process in self._processes if process.poll()]
            if ended and not self._over.wait(GRACE_SECONDS):
                # The main thread waits for a device, and nothing can wake it.
                print(
                    f"a process of this training ended ({ended[0].returncode}); so does the training", file=sys.stderr
                )
                told = self._failure(0.0)
                os._exit(told.exit_code if told is not None else 1)

    def _failure(self, until: float) -> JobError | None:
        """The error that one of them told before it ended; waits for an end until a moment of the monotonic clock."""
        while all(process.poll() is None for process in self._processes) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        told = sorted(self._folder.glob("error-*.json"))
        return _read_error(told[0]) if told else None


def tell(error: JobError, folder: Path, rank: int) -> None:
    """Leave an error for the first process."""
    draft = folder / f"draft-{rank}"
    draft.write_text(json.dumps({"code": error.code, "message": error.message, "hint": error.hint}), encoding="utf-8")
    draft.replace(folder / f"error-{rank}.json")


def _read_error(path: Path) -> JobError:
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    kinds = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, JobError)}
    kind = kinds.get(facts["code"], JobError)
    return kind(facts["message"], hint=facts["hint"])


def _visible() -> list[str]:
    """The names of the CUDA devices that this process sees, in its order."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return named.split(",") if named else [str(number) for number in range(torch.cuda.device_count())]


def _check_world(count: int) -> None:
    world = os.environ.get("WORLD_SIZE", "1")
    if world != str(count):
        raise errors.BadSpec(
            f"resources.count is {count}, but torchrun started {world} processes.",
            hint="Start as many, or leave torchrun out: the run starts them by itself.",
        )
