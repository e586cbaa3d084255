"""Queues of jobs: one for each class of device, and one for jobs that any worker may take."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

JOBS = "jobs"
ANY = "any"
BUILT_IN = ("cpu", "gpu")
Priority = Literal["low", "normal", "high"]
PRIORITIES: dict[Priority, int] = dict(zip(get_args(Priority), (-10, 0, 10), strict=True))


@dataclass(frozen=True)
class Placing:
    """Where a job waits, how urgent it is, and of which group it is an arm, if of any."""

    queue: str = JOBS
    priority: Priority = "normal"
    group_id: str | None = None
    arm: str | None = None


def queue_of(device_class: str) -> str:
    """The queue of a class of devices; `any` is the one that all workers serve."""
    return JOBS if device_class == ANY else f"{JOBS}.{device_class}"


def class_of(queue: str) -> str:
    """The class of devices a queue is for."""
    return queue.removeprefix(f"{JOBS}.") if queue != JOBS else ANY


def priority_name(value: int) -> Priority:
    """A priority as users call it."""
    return next((name for name, number in PRIORITIES.items() if number == value), "normal")


def all_queues(named: Iterable[str]) -> list[str]:
    """Every queue of jobs; named: the installation's own classes besides cpu and gpu."""
    return [JOBS, *(queue_of(one) for one in dict.fromkeys((*BUILT_IN, *named)))]


def served(asked: Iterable[str], classes: Iterable[str]) -> list[str]:
    """The queues a worker takes from: of jobs those of its classes, all else as it was asked.

    One that was asked for class queues alone (`jobs.gpu` without `jobs`) serves just these.
    """
    names = set(asked)
    if JOBS in names:
        names = {name for name in names if not name.startswith(f"{JOBS}.")} | {queue_of(one) for one in classes}
    return sorted(names)
