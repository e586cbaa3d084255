"""The page of workers: what each is doing, how busy its machine is, and how long the queues are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from api.schemas.workers import WorkerState, state_of
from store.queues import ANY, JOBS, class_of
from store.tables import Worker
from store.tables.base import Json

# Where no count of jobs goes further.
MOST_COUNTED = 1000

SHOWN_AS: dict[WorkerState, tuple[str, str]] = {
    "working": ("running", "Working"),
    "idle": ("waiting", "Idle"),
    "trouble": ("failed", "Takes nothing"),
    "lost": ("lost", "Not heard of"),
}


@dataclass(frozen=True)
class Meter:
    """How full something is. share: [0, 1]; kind: busy, or warn where there is hardly any left."""

    label: str
    share: float
    text: str
    kind: Literal["busy", "warn"]


@dataclass(frozen=True)
class DeviceRow:
    """An accelerator, or the machine itself. meters: of load and memory, none where nothing was said."""

    name: str
    meters: tuple[Meter, ...]


@dataclass(frozen=True)
class WorkerRow:
    """One worker. job: id and name where it is this project's; elsewhere: it works for another project."""

    id: str
    hostname: str
    pid: int
    chip: tuple[str, str]
    state: WorkerState
    does: str
    devices: tuple[DeviceRow, ...]
    job: tuple[str, str] | None
    elsewhere: bool
    computes_on: str
    trouble: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class QueueRow:
    """A class of devices. waiting, own: jobs of all projects, of this one. alone: they wait and nobody serves them."""

    name: str
    title: str
    waiting: str
    own: int
    workers: int
    alone: bool


@dataclass(frozen=True)
class WorkersView:
    """The page. busy: how many of those that are there work on something."""

    workers: tuple[WorkerRow, ...]
    queues: tuple[QueueRow, ...]
    there: int
    busy: int


def workers_view(
    workers: Sequence[Worker], own_jobs: Mapping[str, str], waiting: Mapping[str, tuple[int, int]], now: datetime
) -> WorkersView:
    """Put the page together. waiting: by queue, jobs of all projects and of this one, each counted to MOST_COUNTED."""
    rows = tuple(_row(worker, own_jobs, now) for worker in workers)
    there = [worker for worker, row in zip(workers, rows, strict=True) if row.state != "lost"]
    return WorkersView(
        workers=rows,
        queues=tuple(_queue(queue, *counts, there) for queue, counts in waiting.items()),
        there=len(there),
        busy=sum(1 for row in rows if row.state == "working"),
    )


def _row(worker: Worker, own_jobs: Mapping[str, str], now: datetime) -> WorkerRow:
    state = state_of(worker, now)
    name = own_jobs.get(worker.job_id or "")
    return WorkerRow(
        id=worker.id,
        hostname=worker.hostname,
        pid=worker.pid,
        chip=SHOWN_AS[state],
        state=state,
        does=_does(worker),
        devices=tuple(_devices(worker.devices, worker.load or {})),
        job=(worker.job_id, name) if worker.job_id and name is not None else None,
        elsewhere=worker.job_id is not None and name is None,
        computes_on=worker.device or "",
        trouble=worker.trouble or "",
        started_at=worker.started_at,
        seen_at=worker.seen_at,
    )


def _does(worker: Worker) -> str:
    """What it is there for."""
    trains = any(queue == JOBS or queue.startswith(f"{JOBS}.") for queue in worker.queues)
    return f"jobs for {' and '.join(worker.classes) or ANY}" if trains else "checks of data sets and models"


def _devices(found: Sequence[Json], load: Json) -> list[DeviceRow]:
    """The machine first, then its accelerators as they were found."""
    processors = load.get("processors")
    machine = DeviceRow(f"{processors} processors" if processors else "Processors", tuple(_meters(load)))
    loads = load.get("devices") or []
    rows = [machine] if load else []
    for number, device in enumerate(found):
        own = {**(loads[number] if number < len(loads) else {}), "memory": device.get("memory")}
        rows.append(DeviceRow(str(device.get("name", "device")), tuple(_meters(own))))
    return rows


def _meters(load: Json) -> list[Meter]:
    meters = []
    busy, used, memory = load.get("busy"), load.get("memory_used"), load.get("memory")
    if busy is not None:
        meters.append(Meter("load", busy, f"{100 * busy:.0f} %", "busy"))
    if used is not None and memory:
        share = used / memory
        text = f"{used / 2**30:.3g} of {memory / 2**30:.3g} GiB"
        meters.append(Meter("memory", share, text, "warn" if share > 0.92 else "busy"))
    return meters


def _queue(queue: str, waiting: int, own: int, there: Sequence[Worker]) -> QueueRow:
    name = class_of(queue)
    serving = sum(1 for worker in there if queue in worker.queues)
    return QueueRow(
        name=name,
        title="any device" if name == ANY else name,
        waiting=f"{MOST_COUNTED:,} or more" if waiting >= MOST_COUNTED else f"{waiting:,}",
        own=own,
        workers=serving,
        alone=waiting > 0 and serving == 0,
    )
