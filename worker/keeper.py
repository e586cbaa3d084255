"""Keeping a lease while an attempt runs: a heartbeat, and a watchdog that trusts nobody.

The watchdog knows only this machine's clock. Whatever hangs (the database, the network, this very process), the child
is killed before the lease can have ended, for then another worker may have the job.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Self

from store import failpoints, leases
from store.database import AWAY, Sessions
from store.errors import LeaseLost
from store.leases import Lease, Pulse
from worker import clock

log = logging.getLogger(__name__)

MARGIN = 0.1
RETRY_SECONDS = 1.0
LOOK_SECONDS = 0.5


class Keeper:
    """Keeps one lease. claimed_at: local time just before the claim was asked for. on_lost: called once, must be quick.

    Use as a context manager; `stop_heartbeat` before the finishing write.
    """

    def __init__(
        self,
        sessions: Sessions,
        lease: Lease,
        *,
        seconds: float,
        every: float,
        claimed_at: float,
        on_lost: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._lease = lease
        self._seconds = seconds
        self._every = every
        self._on_lost = on_lost
        self._deadline = claimed_at + seconds * (1 - MARGIN)
        self._lock = threading.Lock()
        self._lost: str | None = None
        self._wanted = Pulse(cancel=False, pause=False)
        self._no_more_beats = threading.Event()
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._watchdog = threading.Thread(target=self._watch, name="lease watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._heart.start()
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_heartbeat()
        self._over.set()
        self._watchdog.join()

    @property
    def wanted(self) -> Pulse:
        """What the user wants of the job, as last heard."""
        return self._wanted

    @property
    def seconds_left(self) -> float:
        """How long this side may still count on the lease."""
        return self._deadline - clock.now()

    @property
    def is_lost(self) -> bool:
        """Whether the lease is lost; then nothing may be written any more."""
        return self._lost is not None

    def check(self) -> None:
        """Raise LeaseLost once the lease is lost."""
        if self._lost is not None:
            raise LeaseLost(self._lost)

    def hear(self, pulse: Pulse) -> None:
        """Take note of what a reply of the store said."""
        self._wanted = pulse

    def lose(self, reason: str) -> None:
        """The lease is lost: end the child at once."""
        with self._lock:
            if self._lost is not None:
                return
            self._lost = reason
        log.warning("job %s, attempt %d: %s", self._lease.job_id, self._lease.attempt, reason)
        self._no_more_beats.set()
        self._on_lost()

    def stop_heartbeat(self) -> None:
        """Send no more heartbeats; the watchdog goes on."""
        self._no_more_beats.set()
        self._heart.join(timeout=self._every)

    def _beat(self) -> None:
        pause = self._every
        while not self._no_more_beats.wait(pause):
            # Before the question: the lease is counted from the moment the database answered, which is later.
            asked_at = clock.now()
            try:
                failpoints.reach("before_heartbeat")
                with self._sessions.begin() as session:
                    pulse = leases.heartbeat(session, self._lease, timedelta(seconds=self._seconds))
            except AWAY as error:
                log.warning("heartbeat of job %s failed, trying again: %s", self._lease.job_id, error)
                pause = RETRY_SECONDS
                continue
            if pulse is None:
                self.lose("the lease was lost: it expired, or another worker has the job")
                return
            self._deadline = asked_at + self._seconds * (1 - MARGIN)
            self.hear(pulse)
            failpoints.reach("after_heartbeat")
            pause = self._every

    def _watch(self) -> None:
        while not self._over.wait(min(LOOK_SECONDS, max(0.0, self.seconds_left))):
            if self.seconds_left <= 0:
                self.lose("no heartbeat got through in time")
                return
