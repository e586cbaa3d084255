"""What one worker process works with: its name, settings, database, objects, cache."""

import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from store.database import Sessions, make_engine, make_sessions
from store.objects import ObjectStore, open_store
from store.queues import JOBS
from store.settings import Settings
from worker.cache import Cache
from worker.devices import Devices, find_devices
from worker.memory_guard import delegated_group
from worker.spare import Spare
from worker.stopping import Stopping


@dataclass
class Workplace:
    """Made once a process. queues: whose jobs it takes; classes: of devices, what it is good for; memory_group: below
    which control groups for trainings are made, where that is possible.

    For others to see: `job_id`, what is worked on; `device`, what the last run computed on; `trouble` with the machine.
    """

    settings: Settings
    sessions: Sessions
    objects: ObjectStore
    cache: Cache
    worker_id: str
    devices: Devices = field(default_factory=find_devices)
    queues: tuple[str, ...] = (JOBS,)
    stopping: Stopping = field(default_factory=Stopping)
    spare: Spare | None = None
    memory_group: Path | None = None
    job_id: str | None = None
    device: str | None = None
    trouble: str | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of devices it is good for: as set, else as found."""
        return self.settings.worker_classes or self.devices.classes

    @property
    def scratch(self) -> Path:
        """Where the folders of attempts lie while they run."""
        folder = self.settings.worker_cache / "attempts"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def make_workplace(settings: Settings) -> Workplace:
    """Connect nothing yet; everything opens on first use."""
    devices = find_devices()
    wanted = bool(devices.found) if settings.worker_spare is None else settings.worker_spare
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    return Workplace(
        settings=settings,
        # A supervisor's own thread, its heartbeat, its uploads, the worker's sign of life.
        sessions=make_sessions(make_engine(settings, pool_size=5, application="fgfi worker")),
        objects=open_store(settings.storage_url),
        cache=Cache(settings.worker_cache, settings.worker_cache_bytes),
        worker_id=name,
        devices=devices,
        memory_group=delegated_group(),
        spare=Spare(settings.worker_cache / "spares" / name, settings.worker_threads) if wanted else None,
    )
