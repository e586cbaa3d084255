"""How long the job will take, from a few timed steps of each of its trainings."""

import time
from collections.abc import Iterator, Mapping

import torch

from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.preflight.trial import SIDE, images, roles, trial_step
from fgfi_core.results import Role
from fgfi_core.training.torch_errors import explained
from fgfi_core.training.trainings import Bench

LEAST_STEPS = 50  # of the whole job; a shorter one is over before it is worth knowing
TIMED = 2
FORWARD_SHARE = 1 / 3  # of a step: what an evaluation's pass costs beside forward and backward
WITH_UNLABELLED = 2.0  # of an imitating step: another batch goes through student and teacher
STAGES: Mapping[Role, str] = {"teacher": "teacher", "plain": "baseline", "imitated": "imitation"}


def check(subject: Subject) -> Iterator[Verdict]:
    """Seconds of each stage over all seeds, evaluations on val included, reading images not."""
    bench = subject.bench
    if not bench.resolved.spec.preflight.estimate or total_steps(bench) < LEAST_STEPS:
        return
    seconds = {role: _seconds(bench, role) * _count(bench, role) for role in roles(bench)}
    total = sum(seconds.values())
    numbers = {f"{STAGES[role]}_seconds": one for role, one in seconds.items()}
    parts = ", ".join(f"{STAGES[role]} {duration(one)}" for role, one in seconds.items())
    text = f"the trainings will take about {duration(total)} here ({parts})."
    yield Verdict("ok", text, numbers={**numbers, "total_seconds": total})


def total_steps(bench: Bench) -> int:
    """Steps of all trainings."""
    return sum(bench.steps(SIDE[role]) * _count(bench, role) for role in roles(bench))


def duration(seconds: float) -> str:
    """For people: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _count(bench: Bench, role: Role) -> int:
    """Trainings of the role."""
    return 1 if role == "teacher" else len(bench.resolved.spec.seeds)


def _seconds(bench: Bench, role: Role) -> float:
    """Of one training."""
    schedule = bench.resolved.spec.schedule
    size = min(int(schedule.batch_size), len(bench.dataset.splits[bench.resolved.spec.dataset.train]))
    batch = images(bench, role, size)
    step = trial_step(bench, role, schedule)
    with explained(step.learner.detector, schedule, size):
        # A rate of 0: the weights stay what they are, and so does the time of a step.
        step(batch, 0, 0.0)
        _wait(bench)
        started = time.perf_counter()
        for number in range(TIMED):
            step(batch, 1 + number, 0.0)
        _wait(bench)
        each = (time.perf_counter() - started) / TIMED
    if role == "imitated" and bench.resolved.spec.dataset.unlabelled is not None:
        each *= WITH_UNLABELLED
    measured = len(bench.dataset.splits[bench.resolved.spec.dataset.val])
    evaluations = -(-bench.epochs(SIDE[role]) // schedule.evaluate_every)
    return each * (bench.steps(SIDE[role]) + FORWARD_SHARE * evaluations * measured / size)


def _wait(bench: Bench) -> None:
    if bench.placement.device.type == "cuda":
        torch.cuda.synchronize(bench.placement.device)
