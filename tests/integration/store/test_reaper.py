import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, func, select, text, update

from store import attempts, checkpoints, jobs, leases, reaper
from store.attempts import Budget, Trace
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.leases import Claim, Lease
from store.tables import Attempt, Job, Outbox

pytestmark = pytest.mark.integration

LEASE = timedelta(seconds=75)
PATIENT = Budget(losses=5, poison=100, backoff=0)


def reap(sessions: Sessions, budget: Budget = PATIENT) -> list[tuple[str, str]]:
    with sessions.begin() as session:
        return list(reaper.reap(session, budget))


def claim_again(sessions: Sessions, job_id: str) -> Lease:
    with sessions.begin() as session:
        taken = leases.claim(session, job_id, worker_id="again", lease=LEASE)
    assert taken is not None
    return taken.lease


def job_now(sessions: Sessions, job_id: str) -> Job:
    with sessions.begin() as session:
        return session.get_one(Job, job_id)


def test_a_live_lease_is_left_alone(sessions: Sessions, claim: Claim) -> None:
    assert reap(sessions) == []
    assert job_now(sessions, claim.job.id).state == "running"


def test_an_expired_lease_ends_and_its_job_is_queued_and_announced(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    expire(claim.lease)

    assert reap(sessions) == [(claim.job.id, "queued")]
    with sessions.begin() as session:
        attempt = session.get_one(Attempt, (claim.job.id, 1))
        messages = session.scalars(select(Outbox.subject_id)).all()
    assert (attempt.outcome, attempt.reason, attempt.ended_at is not None) == ("lost", "lease_expired", True)
    assert list(messages).count(claim.job.id) == 2


def test_reaping_twice_counts_once(sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]) -> None:
    expire(claim.lease)
    reap(sessions)
    assert reap(sessions) == []
    assert job_now(sessions, claim.job.id).losses == 1


def test_each_loss_doubles_the_wait_up_to_a_limit() -> None:
    budget = Budget(backoff=10, backoff_limit=360)
    assert [budget.wait(losses).total_seconds() for losses in range(1, 9)] == [10, 20, 40, 80, 160, 320, 360, 360]


def test_a_lost_job_waits_before_it_may_be_claimed(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    expire(claim.lease)
    reap(sessions, Budget(backoff=60))
    with sessions.begin() as session:
        assert leases.claim(session, claim.job.id, worker_id="w", lease=LEASE) is None
        message = session.scalars(select(Outbox).order_by(Outbox.id.desc())).first()
        assert message is not None
        assert message.available_at == session.get_one(Job, claim.job.id).available_at


def test_a_job_fails_when_its_losses_exceed_the_budget(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    lease = claim.lease
    for _ in range(PATIENT.losses):
        expire(lease)
        assert reap(sessions) == [(claim.job.id, "queued")]
        lease = claim_again(sessions, claim.job.id)
    expire(lease)

    assert reap(sessions) == [(claim.job.id, "failed")]
    error = job_now(sessions, claim.job.id).error
    assert error is not None
    assert error["code"] == "infrastructure_lost"


def test_three_losses_without_a_checkpoint_are_poison(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    budget = Budget(losses=5, poison=3, backoff=0)
    lease = claim.lease
    for _ in range(2):
        expire(lease)
        assert reap(sessions, budget) == [(claim.job.id, "queued")]
        lease = claim_again(sessions, claim.job.id)
    expire(lease)

    assert reap(sessions, budget) == [(claim.job.id, "failed")]
    error = job_now(sessions, claim.job.id).error
    assert error is not None
    assert error["code"] == "poison"


def publish(sessions: Sessions, lease: Lease, step: int) -> None:
    new = NewCheckpoint("teacher", 0, step, False, f"{step}.pt", f"{lease.attempt}-{step}", 1, "s")
    with sessions.begin() as session:
        checkpoints.publish(session, lease, new)


def test_a_newer_checkpoint_clears_the_suspicion_of_poison(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    budget = Budget(losses=5, poison=3, backoff=0)
    lease = claim.lease
    for step in range(5):
        publish(sessions, lease, step)
        expire(lease)
        assert reap(sessions, budget) == [(claim.job.id, "queued")]
        lease = claim_again(sessions, claim.job.id)


def test_the_same_step_again_is_no_progress(sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]) -> None:
    budget = Budget(losses=5, poison=3, backoff=0)
    lease = claim.lease
    states = []
    for _ in range(4):
        publish(sessions, lease, 7)
        expire(lease)
        states += [state for _, state in reap(sessions, budget)]
        if states[-1] == "queued":
            lease = claim_again(sessions, claim.job.id)
        else:
            break
    # The first attempt's checkpoint was progress, the three after it were not.
    assert states == ["queued", "queued", "failed"]


@pytest.mark.parametrize(("wish", "rests"), [("pause", "paused"), ("cancel", "cancelled")])
def test_the_users_wish_outlives_the_worker(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None], project_id: str, wish: str, rests: str
) -> None:
    with sessions.begin() as session:
        getattr(jobs, wish)(session, project_id, claim.job.id)
    expire(claim.lease)
    assert reap(sessions) == [(claim.job.id, rests)]


def test_a_reaper_passes_over_a_job_that_is_being_written(
    sessions: Sessions, claim: Claim, expire: Callable[[Lease], None]
) -> None:
    expire(claim.lease)
    with sessions() as holder:
        holder.execute(select(Job).where(Job.id == claim.job.id).with_for_update(key_share=True))
        assert reap(sessions) == []
    assert reap(sessions) == [(claim.job.id, "queued")]


def test_a_shutdown_counts_no_loss(sessions: Sessions, claim: Claim) -> None:
    with sessions.begin() as session:
        assert attempts.stop(session, claim.lease, Trace("deploy")) == "queued"
    job = job_now(sessions, claim.job.id)
    assert (job.losses, job.losses_without_checkpoint) == (0, 0)
    claim_again(sessions, claim.job.id)


def test_many_lost_jobs_are_reaped_in_portions(
    sessions: Sessions, make_job: Callable[[], Job], expire: Callable[[Lease], None]
) -> None:
    for _ in range(5):
        expire(claim_again(sessions, make_job().id))
    with sessions.begin() as session:
        assert len(reaper.reap(session, PATIENT, limit=3)) == 3
    with sessions.begin() as session:
        assert len(reaper.reap(session, PATIENT, limit=3)) == 2


def test_leases_that_live_take_no_place_in_a_portion(
    sessions: Sessions, make_job: Callable[[], Job], expire: Callable[[Lease], None]
) -> None:
    taken = [claim_again(sessions, make_job().id) for _ in range(3)]
    last = max(taken, key=lambda lease: lease.job_id)
    expire(last)
    with sessions.begin() as session:
        assert reaper.reap(session, PATIENT, limit=1) == [(last.job_id, "queued")]


@pytest.mark.parametrize(("wish", "rests"), [("pause", "paused"), ("cancel", "cancelled")])
@pytest.mark.parametrize("budget", [Budget(losses=0, poison=100), Budget(losses=100, poison=1)])
def test_no_budget_stands_between_a_user_and_their_wish(
    sessions: Sessions, claim: Claim, project_id: str, wish: str, rests: str, budget: Budget
) -> None:
    with sessions.begin() as session:
        getattr(jobs, wish)(session, project_id, claim.job.id)
    with sessions.begin() as session:
        assert attempts.lose(session, claim.lease, budget, Trace("the machine burned down")) == rests


def test_a_heartbeat_that_was_in_time_but_commits_late_saves_the_lease(sessions: Sessions, claim: Claim) -> None:
    """The reaper's first look sees an expired lease; under the row's lock it sees the renewed one."""
    with sessions.begin() as session:
        soon = func.clock_timestamp() + timedelta(seconds=2)
        session.execute(update(Attempt).where(Attempt.job_id == claim.job.id).values(lease_expires_at=soon))

    def ask(query: Select[Any]) -> Any:
        # In a transaction of its own: within one, PostgreSQL shows the same activity again and again.
        with sessions.begin() as session:
            return session.scalar(query)

    with ThreadPoolExecutor(1) as pool, sessions() as heart:
        assert leases.heartbeat(heart, claim.lease, LEASE) is not None
        expired = select(Attempt.lease_expires_at <= func.clock_timestamp()).where(Attempt.job_id == claim.job.id)
        until(lambda: ask(expired) is True)
        reaping = pool.submit(reap, sessions)
        waiting = select(func.count()).select_from(text("pg_stat_activity")).where(text("wait_event_type = 'Lock'"))
        until(lambda: ask(waiting) >= 1)
        heart.commit()
        assert reaping.result(timeout=10) == []
    assert job_now(sessions, claim.job.id).state == "running"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
