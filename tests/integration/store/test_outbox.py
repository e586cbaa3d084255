"""Which messages are due, and which seem to be lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import jobs, leases, outbox
from store.database import Sessions
from store.tables import Job, Outbox

pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)
MakeJob = Callable[[], Job]


def due(sessions: Sessions) -> list[str]:
    with sessions.begin() as session:
        return [message.subject_id for message in outbox.take_due(session)]


def forgotten(sessions: Sessions) -> list[str]:
    with sessions.begin() as session:
        return list(outbox.forgotten_jobs(session, "jobs", HOUR))


def grow_old(sessions: Sessions, *job_ids: str) -> None:
    """Let jobs have waited and been announced two hours ago."""
    ago = func.clock_timestamp() - 2 * HOUR
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.id.in_(job_ids)).values(available_at=ago, published_at=ago))


def test_a_message_is_due_until_it_is_marked(sessions: Sessions, make_job: MakeJob) -> None:
    job = make_job()
    assert due(sessions) == due(sessions) == [job.id]
    with sessions.begin() as session:
        outbox.mark(session, outbox.take_due(session))
    assert due(sessions) == []


def test_a_message_with_a_time_of_its_own_waits_for_it(sessions: Sessions, make_job: MakeJob) -> None:
    make_job()
    with sessions.begin() as session:
        session.execute(update(Outbox).values(available_at=func.clock_timestamp() + HOUR))
    assert due(sessions) == []


def test_a_message_that_another_is_publishing_is_passed_over(sessions: Sessions, make_job: MakeJob) -> None:
    held, free = make_job(), make_job()
    with sessions() as holder:
        holder.execute(select(Outbox).where(Outbox.subject_id == held.id).with_for_update())
        assert due(sessions) == [free.id]


def test_what_waits_long_after_its_message_seems_forgotten(sessions: Sessions, make_job: MakeJob) -> None:
    job, young = make_job(), make_job()
    grow_old(sessions, job.id)
    assert forgotten(sessions) == [job.id]
    del young


def test_what_was_announced_again_lately_does_not(sessions: Sessions, make_job: MakeJob) -> None:
    job = make_job()
    grow_old(sessions, job.id)
    with sessions.begin() as session:
        outbox.announced(session, "job", [job.id])
    assert forgotten(sessions) == []


def test_neither_does_what_was_announced_long_ago_and_is_not_due(sessions: Sessions, make_job: MakeJob) -> None:
    job = make_job()
    grow_old(sessions, job.id)
    with sessions.begin() as session:
        session.get_one(Job, job.id).available_at = func.clock_timestamp() + HOUR
    assert forgotten(sessions) == []


def test_neither_does_what_runs_or_rests(sessions: Sessions, make_job: MakeJob, project_id: str) -> None:
    running, resting = make_job(), make_job()
    with sessions.begin() as session:
        leases.claim(session, running.id, worker_id="w", lease=HOUR)
        jobs.pause(session, project_id, resting.id)
    grow_old(sessions, running.id, resting.id)
    assert forgotten(sessions) == []
