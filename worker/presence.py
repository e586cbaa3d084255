"""A worker's sign of life, for the list of workers. Leases do not depend on it."""

import logging
import os
import socket
import threading
from collections.abc import Sequence

from store import workers
from store.database import AWAY
from worker import alive
from worker.load import Load
from worker.workplace import Workplace

log = logging.getLogger(__name__)

SECONDS = 15.0


class Presence:
    """Says from a thread of its own that this worker is there."""

    def __init__(self, place: Workplace, queues: Sequence[str]) -> None:
        self._place = place
        self._queues = queues
        self._load = Load(place.devices)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye."""
        self._over.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            alive.beat(self._place.settings.alive_file)
            try:
                with self._place.sessions.begin() as session:
                    workers.seen(
                        session,
                        self._place.worker_id,
                        hostname=socket.gethostname(),
                        pid=os.getpid(),
                        queues=self._queues,
                        device=self._place.device,
                        job_id=self._place.job_id,
                        classes=self._place.classes,
                        devices=self._place.devices.found,
                        trouble=self._place.trouble,
                        load=self._load.sample(),
                    )
            except AWAY as error:
                log.warning("sign of life not written: %s", error)
            if self._over.wait(SECONDS):
                break
        try:
            with self._place.sessions.begin() as session:
                workers.gone(session, self._place.worker_id)
        except AWAY:
            log.warning("goodbye not written; the steward forgets this worker later")
