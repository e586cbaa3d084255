import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.orm import Session

from store import artifacts, attempts, checkpoints, jobs, leases, reaper
from store.artifacts import NewArtifact
from store.attempts import Budget, NewMetric, Report, Trace
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.errors import LeaseLost
from store.events import NewEvent
from store.leases import Claim, Lease, Pulse
from store.tables import Artifact, Attempt, Checkpoint, Job, JobEvent, Metric

pytestmark = pytest.mark.integration

LEASE = timedelta(seconds=75)
CHECKPOINT = NewCheckpoint("teacher", 0, 5, final=False, path="a.pt", object_key="k", size=1, sha256="s")
ARTIFACT = NewArtifact("student", "onnx", "a.onnx", "ka", "application/octet-stream", 1, "s")
TRACE = Trace("because")

WRITES: dict[str, Callable[[Session, Lease], object]] = {
    "report": lambda s, lease: attempts.write(
        s, lease, Report(1, [NewEvent("log")], [NewMetric("teacher", 0, "loss", 1, 0.5, 1.0)], stage="teacher", step=1)
    ),
    "resumed": lambda s, lease: attempts.resumed(s, lease, [{"stage": "teacher"}]),
    "checkpoint": lambda s, lease: checkpoints.publish(s, lease, CHECKPOINT),
    "artifact": lambda s, lease: artifacts.publish(s, lease, ARTIFACT),
    "succeed": lambda s, lease: attempts.succeed(s, lease, {"ok": True}, TRACE),
    "fail": lambda s, lease: attempts.fail(s, lease, {"code": "c", "message": "m", "hint": ""}, TRACE),
    "stop": lambda s, lease: attempts.stop(s, lease, TRACE),
    "shrink": lambda s, lease: attempts.shrink(s, lease, 4, {"code": "c", "message": "m", "hint": ""}, TRACE),
    "lose": lambda s, lease: attempts.lose(s, lease, Budget(), TRACE),
}


def snapshot(sessions: Sessions, job_id: str) -> tuple[object, ...]:
    with sessions.begin() as session:
        job = session.get_one(Job, job_id)
        counts = [session.scalar(select(func.count()).select_from(t)) for t in (JobEvent, Metric, Checkpoint, Artifact)]
        ended = session.scalars(select(Attempt.ended_at).order_by(Attempt.number)).all()
        return (job.state, job.version, job.last_sequence, *counts, *ended)


@pytest.mark.parametrize("name", WRITES)
def test_a_live_lease_may_write(sessions: Sessions, claim: Claim, name: str) -> None:
    with sessions.begin() as session:
        WRITES[name](session, claim.lease)


@pytest.mark.parametrize("name", WRITES)
def test_an_expired_lease_writes_nothing(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None], name: str
) -> None:
    expire(claim.lease)
    before = snapshot(sessions, claim.job.id)

    with pytest.raises(LeaseLost), sessions.begin() as session:
        WRITES[name](session, claim.lease)
    assert snapshot(sessions, claim.job.id) == before


@pytest.mark.parametrize("name", WRITES)
def test_a_wrong_token_writes_nothing(sessions: Sessions, claim: Claim, name: str) -> None:
    before = snapshot(sessions, claim.job.id)

    with pytest.raises(LeaseLost), sessions.begin() as session:
        WRITES[name](session, Lease(claim.job.id, claim.lease.attempt, "guessed"))
    assert snapshot(sessions, claim.job.id) == before


@pytest.mark.parametrize("name", WRITES)
def test_an_ended_attempt_writes_nothing(sessions: Sessions, claim: Claim, name: str) -> None:
    with sessions.begin() as session:
        attempts.stop(session, claim.lease, TRACE)
    before = snapshot(sessions, claim.job.id)

    with pytest.raises(LeaseLost), sessions.begin() as session:
        WRITES[name](session, claim.lease)
    assert snapshot(sessions, claim.job.id) == before


@pytest.mark.parametrize("name", WRITES)
def test_an_attempt_that_was_replaced_writes_nothing(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None], name: str
) -> None:
    expire(claim.lease)
    with sessions.begin() as session:
        reaper.reap(session, Budget(backoff=0))
    with sessions.begin() as session:
        second = leases.claim(session, claim.job.id, worker_id="worker-2", lease=LEASE)
    assert second is not None
    before = snapshot(sessions, claim.job.id)

    with pytest.raises(LeaseLost), sessions.begin() as session:
        WRITES[name](session, claim.lease)
    assert snapshot(sessions, claim.job.id) == before


def test_a_job_is_claimed_once_however_many_ask(sessions: Sessions, make_job: Callable[[], Job]) -> None:
    askers = 8
    for _ in range(5):
        job, start = make_job(), Barrier(askers)

        def ask(number: int, job_id: str = job.id, start: Barrier = start) -> bool:
            start.wait()
            with sessions.begin() as session:
                return leases.claim(session, job_id, worker_id=f"worker-{number}", lease=LEASE) is not None

        with ThreadPoolExecutor(askers) as pool:
            assert sum(pool.map(ask, range(askers))) == 1


def test_a_claim_moves_the_job_and_says_so(sessions: Sessions, claim: Claim) -> None:
    with sessions.begin() as session:
        job = session.get_one(Job, claim.job.id)
        last = session.get_one(JobEvent, (job.id, job.last_sequence))
    assert (job.state, job.current_attempt) == ("running", 1)
    assert (last.kind, last.data["to"]) == ("state", "running")


def test_a_cancelled_job_is_not_claimed(sessions: Sessions, make_job: Callable[[], Job], project_id: str) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
    with sessions.begin() as session:
        assert leases.claim(session, job.id, worker_id="w", lease=LEASE) is None


def test_a_job_that_is_held_is_not_claimed(sessions: Sessions, claim: Claim) -> None:
    with sessions.begin() as session:
        assert leases.claim(session, claim.job.id, worker_id="w", lease=LEASE) is None


def test_a_cancellation_that_waited_for_a_claim_asks_the_worker_to_stop(
    sessions: Sessions, make_job: Callable[[], Job], project_id: str
) -> None:
    job = make_job()
    with ThreadPoolExecutor(1) as pool, sessions() as claimer:
        assert leases.claim(claimer, job.id, worker_id="w", lease=LEASE) is not None

        def cancel() -> str:
            with sessions.begin() as session:
                return jobs.cancel(session, project_id, job.id).state

        cancelling = pool.submit(cancel)
        until(sessions, somebody_waits())
        claimer.commit()
        assert cancelling.result(timeout=10) == "cancelling"


def test_a_wish_to_cancel_keeps_a_job_from_being_claimed_whatever_its_state_says(
    sessions: Sessions, make_job: Callable[[], Job]
) -> None:
    job = make_job()
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.id == job.id).values(cancel_requested_at=func.clock_timestamp()))
    with sessions.begin() as session:
        assert leases.claim(session, job.id, worker_id="w", lease=LEASE) is None


def test_an_attempt_that_is_not_the_jobs_current_one_writes_nothing(sessions: Sessions, claim: Claim) -> None:
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.id == claim.job.id).values(current_attempt=2))
    with pytest.raises(LeaseLost), sessions.begin() as session:
        leases.fence(session, claim.lease)


def test_a_job_is_not_claimed_before_its_time(sessions: Sessions, make_job: Callable[[], Job]) -> None:
    job = make_job()
    with sessions.begin() as session:
        later = func.clock_timestamp() + timedelta(minutes=1)
        session.execute(update(Job).where(Job.id == job.id).values(available_at=later))
    with sessions.begin() as session:
        assert leases.claim(session, job.id, worker_id="w", lease=LEASE) is None


def test_claiming_what_does_not_exist_is_no_error(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert leases.claim(session, "job_none", worker_id="w", lease=LEASE) is None


def lease_end(sessions: Sessions, lease: Lease) -> object:
    with sessions.begin() as session:
        return session.get_one(Attempt, (lease.job_id, lease.attempt)).lease_expires_at


def test_a_heartbeat_prolongs_the_lease(sessions: Sessions, claim: Claim) -> None:
    before = lease_end(sessions, claim.lease)
    with sessions.begin() as session:
        assert leases.heartbeat(session, claim.lease, LEASE) == Pulse(cancel=False, pause=False)
    assert lease_end(sessions, claim.lease) > before  # type: ignore[operator]


def test_a_heartbeat_does_not_revive_an_expired_lease(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    expire(claim.lease)
    before = lease_end(sessions, claim.lease)
    with sessions.begin() as session:
        assert leases.heartbeat(session, claim.lease, LEASE) is None
    assert lease_end(sessions, claim.lease) == before


@pytest.mark.parametrize("wrong", [{"token": "guessed"}, {"attempt": 2}, {"job_id": "job_other"}])
def test_a_heartbeat_of_another_lease_is_refused(sessions: Sessions, claim: Claim, wrong: dict[str, object]) -> None:
    lease = Lease(**{**vars(claim.lease), **wrong})
    with sessions.begin() as session:
        assert leases.heartbeat(session, lease, LEASE) is None


def test_a_heartbeat_after_the_end_is_refused(sessions: Sessions, claim: Claim) -> None:
    with sessions.begin() as session:
        attempts.stop(session, claim.lease, TRACE)
    with sessions.begin() as session:
        assert leases.heartbeat(session, claim.lease, LEASE) is None


def test_a_heartbeat_brings_the_users_wish(sessions: Sessions, claim: Claim, project_id: str) -> None:
    with sessions.begin() as session:
        jobs.pause(session, project_id, claim.job.id)
    with sessions.begin() as session:
        assert leases.heartbeat(session, claim.lease, LEASE) == Pulse(cancel=False, pause=True)
    with sessions.begin() as session:
        jobs.cancel(session, project_id, claim.job.id)
    with sessions.begin() as session:
        assert leases.heartbeat(session, claim.lease, LEASE) == Pulse(cancel=True, pause=False)


def test_a_write_that_waited_for_the_row_sees_that_its_lease_ended_meanwhile(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    """The row is held, as by a reaper, while the zombie's write already waits for it."""
    with ThreadPoolExecutor(1) as pool, sessions() as holder:
        holder.execute(select(Job).where(Job.id == claim.job.id).with_for_update(key_share=True))

        def write() -> None:
            with sessions.begin() as session:
                attempts.succeed(session, claim.lease, {}, TRACE)

        writing = pool.submit(write)
        expire(claim.lease)
        holder.commit()
        with pytest.raises(LeaseLost):
            writing.result(timeout=10)


def test_a_heartbeat_that_waited_until_its_lease_had_ended_is_refused(sessions: Sessions, claim: Claim) -> None:
    """What counts is the time when it has its row, not when it asked for it."""
    soon_over(sessions, claim.lease)
    with ThreadPoolExecutor(1) as pool, sessions() as holder:
        holder.execute(select(Attempt).where(Attempt.job_id == claim.job.id).with_for_update(key_share=True))

        def beat() -> Pulse | None:
            with sessions.begin() as session:
                return leases.heartbeat(session, claim.lease, LEASE)

        beating = pool.submit(beat)
        until(sessions, somebody_waits())
        until(sessions, over(claim.lease))
        holder.commit()
        assert beating.result(timeout=10) is None


def test_a_write_beside_a_heartbeat_that_was_in_time_but_commits_late_is_accepted(
    sessions: Sessions, claim: Claim
) -> None:
    soon_over(sessions, claim.lease)
    with ThreadPoolExecutor(1) as pool, sessions() as heart:
        assert leases.heartbeat(heart, claim.lease, LEASE) is not None
        until(sessions, over(claim.lease))

        def write() -> None:
            with sessions.begin() as session:
                attempts.succeed(session, claim.lease, {}, TRACE)

        writing = pool.submit(write)
        until(sessions, somebody_waits())
        heart.commit()
        writing.result(timeout=10)


def soon_over(sessions: Sessions, lease: Lease) -> None:
    """Let a lease end in half a second."""
    soon = func.clock_timestamp() + timedelta(seconds=0.5)
    with sessions.begin() as session:
        session.execute(update(Attempt).where(Attempt.job_id == lease.job_id).values(lease_expires_at=soon))


def over(lease: Lease) -> Select[Any]:
    """Whether a lease has ended, for who sees what is committed."""
    return select(Attempt.lease_expires_at <= func.clock_timestamp()).where(Attempt.job_id == lease.job_id)


def somebody_waits() -> Select[Any]:
    """Whether a session of the server waits for a lock."""
    return select(func.count() > 0).select_from(text("pg_stat_activity")).where(text("wait_event_type = 'Lock'"))


def until(sessions: Sessions, query: Select[Any]) -> None:
    deadline = time.monotonic() + 20
    while True:
        # In a transaction of its own: within one, PostgreSQL shows the same activity again and again.
        with sessions.begin() as session:
            if session.scalar(query):
                return
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
