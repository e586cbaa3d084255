"""Waking open streams when something changes: one database listener a process, however many browsers watch.

A wake-up is only a hint. A stream asks the database what is new since what it sent last, in a transaction of its own,
and holds no connection while it waits; a hint that was lost costs at most one idle pause.
"""

import asyncio
import contextlib
from collections.abc import Iterator

import structlog
from psycopg import Error

from store.events import changes
from store.settings import Settings

IDLE_SECONDS = 15.0
RETRY_SECONDS = 2.0
EVERY_JOB = "*"

log = structlog.get_logger("api.live")


class Watch:
    """One stream's wait for changes of one job, or of any."""

    def __init__(self, live: "Live") -> None:
        self._live = live
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Note a change."""
        self._changed.set()

    async def wait(self, seconds: float = IDLE_SECONDS) -> bool:
        """Wait for a change; False when the time passed without one."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    @property
    def closing(self) -> bool:
        """Whether the process is shutting down and streams should end."""
        return self._live.closing


class Live:
    """The listener and its watchers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watches: dict[str, set[Watch]] = {}
        self.closing = False

    async def listen(self) -> None:
        """Run until cancelled: pass hints on, and connect again when the database was away."""
        while True:
            try:
                async for job_id in changes(self._settings, idle_seconds=IDLE_SECONDS):
                    self._wake(job_id)
            except (Error, OSError) as error:
                log.warning("listener_lost", reason=type(error).__name__)
            # Hints may have been missed meanwhile: let every stream look for itself.
            self.wake_all()
            await asyncio.sleep(RETRY_SECONDS)

    @contextlib.contextmanager
    def watch(self, job_id: str = EVERY_JOB) -> Iterator[Watch]:
        """Watch one job, or all of them, for the length of a stream."""
        watch = Watch(self)
        self._watches.setdefault(job_id, set()).add(watch)
        try:
            yield watch
        finally:
            watching = self._watches[job_id]
            watching.discard(watch)
            if not watching:
                del self._watches[job_id]

    def close(self) -> None:
        """End all streams soon: the process is about to stop."""
        self.closing = True
        self.wake_all()

    def wake_all(self) -> None:
        """Wake every stream."""
        for watching in list(self._watches.values()):
            for watch in list(watching):
                watch.wake()

    def _wake(self, job_id: str) -> None:
        for key in (job_id, EVERY_JOB) if job_id else ():
            for watch in list(self._watches.get(key, ())):
                watch.wake()
