"""The disk holds what the job will write: checkpoints, results of stages, exports, the report."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.training.checkpoint import KEEP_STEPS

OPTIMISER_STATES = {"sgd": 1, "adamw": 2}
REPORT = 20 * 2**20
MEGABYTE = 1e6


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses a disk with less room than the job needs; what the folder holds already counts as room."""
    bench = subject.bench
    needed = needed_bytes(subject)
    held = sum(path.stat().st_size for path in bench.out_dir.rglob("*") if path.is_file())
    free = shutil.disk_usage(_existing(bench.out_dir)).free
    numbers = {"disk_bytes": needed, "disk_free_bytes": free}
    text = f"the job writes about {needed / MEGABYTE:.0f} MB, and {free / MEGABYTE:.0f} MB of the disk are free"
    if needed > free + held:
        yield Verdict(
            "refused",
            f"{text}.",
            hint=f"Make room for {(needed - free - held) / MEGABYTE:.0f} MB more, or give a folder on another disk.",
            numbers=numbers,
            judgement=True,
        )
    else:
        yield Verdict("ok", f"{text}.", numbers=numbers)


def needed_bytes(subject: Subject) -> int:
    """At the fullest moment: every stage's result, the last one's states to continue from, exports and report."""
    bench, pair = subject.bench, subject.pair
    spec = bench.resolved.spec
    teacher, student = (
        sum(tensor.nbytes for tensor in bench.create(side).state_dict().values()) for side in ("teacher", "student")
    )
    adapters = 0 if pair is None else sum(tensor.nbytes for tensor in pair.imitate.module.state_dict().values())
    runs = len(spec.seeds) * (1 + int(pair is not None and spec.baseline))
    # Of a model: itself, its best weights so far and the optimiser's states; one more file than is kept while writing.
    copies = 2 + OPTIMISER_STATES[spec.schedule.optimizer]
    state = max(copies * teacher, copies * student + (copies - 1) * adapters)
    return int(teacher + runs * student + (KEEP_STEPS + 1) * state + len(spec.exports) * student + REPORT)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
