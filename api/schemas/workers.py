"""Workers as the API shows them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from store.tables import Worker
from store.tables.base import Json

# A worker says every 15 seconds that it is there.
SILENT = timedelta(seconds=60)
# One that was lost is shown for so long: whoever looks for it should find it.
REMEMBERED = timedelta(minutes=15)

WorkerState = Literal["working", "idle", "trouble", "lost"]


class DeviceOut(BaseModel):
    """An accelerator. memory, memory_used: bytes; busy: in [0, 1]; null where its driver does not say."""

    name: str
    memory: int | None = None
    memory_used: int | None = None
    busy: float | None = None


class MachineOut(BaseModel):
    """How busy a worker's machine is: busy in [0, 1] over all processors, memory in bytes."""

    processors: int
    busy: float
    memory: int
    memory_used: int


class WorkerJobOut(BaseModel):
    """What a worker has in hand."""

    id: str
    name: str


class WorkerOut(BaseModel):
    """A worker. state: `trouble` takes nothing, and says why; `lost` was not heard of for a minute.

    classes: of devices, whose jobs it takes. job: of this project; null when it waits or works for another one.
    """

    id: str
    hostname: str
    state: WorkerState
    trouble: str | None
    classes: list[str]
    device: str | None
    machine: MachineOut | None
    devices: list[DeviceOut]
    job: WorkerJobOut | None
    started_at: datetime
    seen_at: datetime

    @classmethod
    def of(cls, row: Worker, job_name: str | None, now: datetime) -> "WorkerOut":
        """From its row. job_name: of the job in its hand, where it is the caller's."""
        named = row.job_id is not None and job_name is not None
        return cls(
            id=row.id,
            hostname=row.hostname,
            state=state_of(row, now),
            trouble=row.trouble,
            classes=row.classes,
            device=row.device,
            machine=MachineOut.model_validate(row.load) if row.load else None,
            devices=_devices(row.devices, (row.load or {}).get("devices") or ()),
            job=WorkerJobOut(id=str(row.job_id), name=str(job_name)) if named else None,
            started_at=row.started_at,
            seen_at=row.seen_at,
        )


class WorkersOut(BaseModel):
    """Every worker that was heard of lately."""

    data: list[WorkerOut]


def state_of(worker: Worker, now: datetime) -> WorkerState:
    """Whether it works, waits, cannot, or is gone."""
    if now - worker.seen_at > SILENT:
        return "lost"
    if worker.trouble:
        return "trouble"
    return "working" if worker.job_id else "idle"


def _devices(found: Sequence[Json], loads: Sequence[Json]) -> list[DeviceOut]:
    """Each as it was found, with its load where as many were told of."""
    known = loads if len(loads) == len(found) else [{}] * len(found)
    return [DeviceOut.model_validate(device | load) for device, load in zip(found, known, strict=True)]
