"""A lease is kept by the database's clock, and given up by how much time went by here."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import extract, func, select, update

from store import leases
from store.database import Sessions
from store.errors import LeaseLost
from store.leases import Lease
from store.tables import Attempt, Job
from worker import clock
from worker.keeper import Keeper

pytestmark = pytest.mark.integration

SECONDS = 75.0


@pytest.fixture
def lease(sessions: Sessions, make_job: Callable[[], Job]) -> Lease:
    with sessions.begin() as session:
        claim = leases.claim(session, make_job().id, worker_id="w", lease=timedelta(seconds=SECONDS))
    assert claim is not None
    return claim.lease


@pytest.fixture
def lost() -> threading.Event:
    return threading.Event()


def keeper(sessions: Sessions, lease: Lease, lost: threading.Event) -> Keeper:
    now = clock.now()
    return Keeper(sessions, lease, seconds=SECONDS, every=0.05, claimed_at=now, on_lost=lost.set)


def set_end(sessions: Sessions, lease: Lease, seconds: float) -> None:
    with sessions.begin() as session:
        end = func.clock_timestamp() + timedelta(seconds=seconds)
        session.execute(update(Attempt).where(Attempt.job_id == lease.job_id).values(lease_expires_at=end))


def seconds_left(sessions: Sessions, lease: Lease) -> float:
    left = extract("epoch", Attempt.lease_expires_at - func.clock_timestamp())
    with sessions.begin() as session:
        return float(session.scalars(select(left).where(Attempt.job_id == lease.job_id)).one())


def test_a_refused_heartbeat_ends_the_child_at_once(sessions: Sessions, lease: Lease, lost: threading.Event) -> None:
    """Whatever the thread that supervises it is busy with."""
    set_end(sessions, lease, -1)
    with keeper(sessions, lease, lost) as keeping:
        assert lost.wait(30)
    assert keeping.is_lost
    with pytest.raises(LeaseLost):
        keeping.check()


@pytest.mark.parametrize("ahead", [-1e6, 1e6])
def test_a_machine_whose_clock_is_wrong_keeps_its_lease_as_others_do(
    sessions: Sessions, lease: Lease, lost: threading.Event, look: Any, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right() + ahead)
    set_end(sessions, lease, 30)
    with keeper(sessions, lease, lost) as keeping:
        look.until(lambda: seconds_left(sessions, lease) > SECONDS / 2)
        assert 0 < keeping.seconds_left < SECONDS
    assert seconds_left(sessions, lease) < SECONDS
    assert not lost.is_set()


def test_a_machine_that_slept_over_its_lease_gives_it_up_without_asking(
    sessions: Sessions, lease: Lease, lost: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    awake, slept = clock.now, [0.0]
    monkeypatch.setattr(clock, "now", lambda: awake() + slept[0])
    with sessions() as holder, keeper(sessions, lease, lost) as keeping:
        # Nobody answers the heartbeat meanwhile.
        holder.execute(select(Attempt).where(Attempt.job_id == lease.job_id).with_for_update())
        slept[0] = SECONDS
        assert lost.wait(30)
        assert keeping.is_lost
        holder.rollback()
