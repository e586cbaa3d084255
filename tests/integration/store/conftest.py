"""Leases at hand, and a way to let them run out without waiting."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, update

from store import leases
from store.database import Sessions
from store.leases import Claim, Lease
from store.tables import Attempt, Job

LEASE = timedelta(seconds=75)


@pytest.fixture
def claim(sessions: Sessions, make_job: Callable[[], Job]) -> Claim:
    """A job just made and taken."""
    job = make_job()
    with sessions.begin() as session:
        taken = leases.claim(session, job.id, worker_id="worker-1", lease=LEASE)
    assert taken is not None
    return taken


@pytest.fixture
def expire(sessions: Sessions) -> Callable[[Lease], None]:
    """Lets a lease end a second ago."""

    def now(lease: Lease) -> None:
        with sessions.begin() as session:
            session.execute(
                update(Attempt)
                .where(Attempt.job_id == lease.job_id, Attempt.number == lease.attempt)
                .values(lease_expires_at=func.clock_timestamp() - timedelta(seconds=1))
            )

    return now
