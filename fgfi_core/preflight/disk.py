"""The disk holds what the job will write: checkpoints, results of stages, exports, the report."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.spec.workload import disk_bytes

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
    """At the fullest moment (`disk_bytes`), by the very tensors."""
    bench, pair = subject.bench, subject.pair
    teacher, student = (
        sum(tensor.nbytes for tensor in bench.create(side).state_dict().values()) for side in ("teacher", "student")
    )
    adapters = 0 if pair is None else sum(tensor.nbytes for tensor in pair.imitate.module.state_dict().values())
    return disk_bytes(bench.resolved.spec, teacher, student, adapters)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
