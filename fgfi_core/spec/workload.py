"""How much a job computes and writes, as far as its spec and the catalogue tell. Imports no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fgfi_core.spec.catalogue import DETECTORS
from fgfi_core.spec.job import JobSpec
from fgfi_core.spec.methods import Imitation

Role = Literal["teacher", "plain", "imitated"]

STEP = 3
"""Forward passes that a training step costs: forward, and backward twice as much."""

KEPT_STATES = 2
"""States that a training keeps to go on from; one more is there while the next is written."""
OPTIMISER_STATES = {"sgd": 1, "adamw": 2}
BYTES = 4
REPORT_BYTES = 20 * 2**20


@dataclass(frozen=True)
class Training:
    """One role's trainings, of all seeds together.

    runs: how many. steps: of one of them. passes: images through forward and backward, of all. measured: images that
    evaluations look at, of all. multiply_adds: in units, of all.
    """

    role: Role
    runs: int
    steps: int
    passes: int
    measured: int
    multiply_adds: float


def trainings(spec: JobSpec, batch_size: int, train_images: int, val_images: int) -> Iterator[Training]:
    """Those of the spec, in their order. The catalogue counts backbones alone, so heads come on top."""
    imitates = isinstance(spec.method, Imitation)
    teacher, student = _macs(spec, "teacher"), _macs(spec, "student")
    epochs = spec.schedule.epochs if spec.teacher.epochs is None else spec.teacher.epochs
    images = (batch_size, train_images, val_images)
    if epochs:
        yield _training(spec, "teacher", epochs, *images, per_step=STEP * teacher, per_look=teacher)
    epochs = spec.schedule.epochs
    if spec.baseline or not imitates:
        yield _training(spec, "plain", epochs, *images, per_step=STEP * student, per_look=student)
    if imitates:
        yield _training(spec, "imitated", epochs, *images, per_step=STEP * student + teacher, per_look=student)


def pixels(spec: JobSpec, side: Literal["teacher", "student"]) -> int:
    """Of a side's input."""
    own = spec.teacher.image_size if side == "teacher" else None
    width, height = own or spec.schedule.image_size
    return width * height


def disk_bytes(spec: JobSpec, teacher: int, student: int, adapters: int = 0) -> int:
    """What the job's folder holds at its fullest moment: every stage's result, the last one's states, exports, report.

    teacher, student, adapters: bytes of their weights.
    """
    runs = len(spec.seeds) * (1 + int(isinstance(spec.method, Imitation) and spec.baseline))
    # Of a model: itself, its best weights so far and the optimiser's states.
    copies = 2 + OPTIMISER_STATES[spec.schedule.optimizer]
    state = max(copies * teacher, copies * student + (copies - 1) * adapters)
    return teacher + runs * student + (KEPT_STATES + 1) * state + len(spec.exports) * student + REPORT_BYTES


def weight_bytes(detector: str) -> int:
    """Of a detector's weights, by the catalogue: three classes, running statistics not counted."""
    return BYTES * DETECTORS[detector].parameters


def _training(
    spec: JobSpec,
    role: Role,
    epochs: int,
    batch_size: int,
    train_images: int,
    val_images: int,
    *,
    per_step: float,
    per_look: float,
) -> Training:
    runs = 1 if role == "teacher" else len(spec.seeds)
    steps = epochs * max(1, train_images // batch_size)
    # Of each image one pass a step; a split smaller than the batch goes through as it is.
    passes = runs * steps * min(batch_size, train_images)
    if role == "imitated" and spec.dataset.unlabelled is not None:
        passes *= 2
    measured = runs * -(-epochs // spec.schedule.evaluate_every) * val_images
    return Training(role, runs, steps, passes, measured, passes * per_step + measured * per_look)


def _macs(spec: JobSpec, side: Literal["teacher", "student"]) -> float:
    """Of one forward pass at the side's input size."""
    info = DETECTORS[spec.teacher.detector if side == "teacher" else spec.student.detector]
    width, height = info.reference_size
    return info.multiply_adds * pixels(spec, side) / (width * height)
