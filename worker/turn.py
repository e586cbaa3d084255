"""What a worker does with a hint: work on the job whose turn it is, which need not be the one that the hint names."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from store import failpoints, turns
from worker import clock
from worker.supervisor import RUNNER, attempt
from worker.workplace import Workplace

log = logging.getLogger(__name__)

HEALTH_SECONDS = 15.0


def take_turn(place: Workplace, hint: str, announce: Callable[[str], None], *, command: Sequence[str] = RUNNER) -> bool:
    """Make one attempt at the job whose turn it is. False: there was nothing to do, or this machine is not well.

    announce: sends a hint for this job id again; the named job must keep one of its own while it waits.
    """
    trouble = place.devices.trouble()
    if trouble is not None:
        announce(hint)
        _recover(place, trouble)
        return False
    claimed_at = clock.now()
    with place.sessions.begin() as session:
        lease = timedelta(seconds=place.settings.lease_seconds)
        claim = turns.claim_next(session, place.queues, worker_id=place.worker_id, lease=lease)
        passed_over = (claim is None or claim.job.id != hint) and turns.still_waits(session, hint, place.queues)
    if passed_over:
        announce(hint)
    if claim is None:
        return False
    failpoints.reach("claimed")
    attempt(place, claim, claimed_at, command)
    return True


def _recover(place: Workplace, trouble: str | None) -> None:
    """Take nothing while the machine is not well: jobs would be lost on it one after the other."""
    log.error("this worker takes no job: %s", trouble)
    while trouble is not None:
        place.trouble = trouble
        if place.stopping.wait(HEALTH_SECONDS):
            return
        trouble = place.devices.trouble()
    place.trouble = None
