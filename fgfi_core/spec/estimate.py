"""How long a job will take and what it writes, before anybody looked at its data. Imports no torch.

From past jobs of the same pair on the same kind of device where there are any, by their seconds per pixel of training
images; else from the catalogue's multiply-adds and the speed of a common machine, which is right within a factor of
`ROUGHLY`.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fgfi_core.spec.job import JobSpec
from fgfi_core.spec.workload import Role, Training, disk_bytes, pixels, trainings, weight_bytes

Device = Literal["cpu", "cuda"]
Basis = Literal["past-jobs", "catalogue"]
Sure = Literal["fair", "rough"]

# Multiply-adds a second in training, between light and heavy detectors: measured on two cores (docs/results.md), and
# assumed for a graphics card.
SPEED: Mapping[Device, float] = {"cpu": 16e9, "cuda": 2e12}
ROUGHLY = 4.0
LIKE_BEFORE = 1.3
ENOUGH = 3
AROUND_SECONDS: Mapping[Device, float] = {"cpu": 60.0, "cuda": 45.0}
"""Pre-flight, export and report, where no past job tells."""


@dataclass(frozen=True)
class Past:
    """A job that succeeded: seconds of each role for an image's pixel in training, and of all that is no training."""

    per_pixel: Mapping[Role, float]
    around: float


@dataclass(frozen=True)
class Estimate:
    """Seconds of trainings by role (all seeds), of the rest, and in all with its range; bytes on the worker's disk.

    basis: what it comes from; jobs: how many past ones. sure: `fair` by at least three past jobs, else `rough`.
    """

    seconds: Mapping[Role, float]
    around: float
    total: float
    low: float
    high: float
    disk_bytes: int
    steps: int
    basis: Basis
    jobs: int
    sure: Sure


def estimate(
    spec: JobSpec, device: Device, batch_size: int, images: tuple[int, int], past: Sequence[Past] = ()
) -> Estimate:
    """images: of the training and of the measured split. past: jobs of the same pair on the same kind of device."""
    todo = list(trainings(spec, batch_size, *images))
    usable = [one for one in past if all(one.per_pixel.get(part.role) for part in todo)]
    if usable:
        around = statistics.median(one.around for one in usable)
        seconds = {part.role: _as_before(spec, part, usable) for part in todo}
        spread = _spread(spec, todo, usable)
    else:
        around = AROUND_SECONDS[device]
        seconds = {part.role: part.multiply_adds / SPEED[device] for part in todo}
        spread = ROUGHLY
    total = math.fsum(seconds.values()) + around
    return Estimate(
        seconds=seconds,
        around=around,
        total=total,
        low=total / spread,
        high=total * spread,
        disk_bytes=disk_bytes(spec, weight_bytes(spec.teacher.detector), weight_bytes(spec.student.detector)),
        steps=sum(part.runs * part.steps for part in todo),
        basis="past-jobs" if usable else "catalogue",
        jobs=len(usable),
        sure="fair" if len(usable) >= ENOUGH else "rough",
    )


def _as_before(spec: JobSpec, part: Training, past: Sequence[Past]) -> float:
    return statistics.median(_predicted(spec, part, one) for one in past)


def _predicted(spec: JobSpec, part: Training, past: Past) -> float:
    side: Literal["teacher", "student"] = "teacher" if part.role == "teacher" else "student"
    return past.per_pixel[part.role] * part.passes * pixels(spec, side)


def _spread(spec: JobSpec, todo: Sequence[Training], past: Sequence[Past]) -> float:
    """By which factor it may be off: how far past jobs lie apart, and never less than two runs of one job do."""
    totals = [math.fsum(_predicted(spec, part, one) for part in todo) + one.around for one in past]
    apart = math.sqrt(max(totals) / min(totals)) if min(totals) > 0 else ROUGHLY
    return max(LIKE_BEFORE if len(past) >= ENOUGH else 2 * LIKE_BEFORE, apart)
