"""Numbers of jobs by state: kept with every move, summed up by the steward, right whoever does what at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from fgfi_core.spec import JobSpec
from store import housekeeping, jobs
from store.database import Sessions
from store.tables import Job, JobCount

pytestmark = pytest.mark.integration

MakeJob = Callable[[], Job]


def counted(sessions: Sessions, project_id: str) -> dict[str, int]:
    with sessions.begin() as session:
        return jobs.count_by_state(session, project_id)


def rows(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return session.scalars(select(func.count()).select_from(JobCount)).one()


def sum_up(sessions: Sessions) -> None:
    with sessions.begin() as session:
        housekeeping.sum_counts(session)


def test_every_move_is_counted(sessions: Sessions, project_id: str, make_job: MakeJob) -> None:
    ids = [make_job().id for _ in range(3)]
    assert counted(sessions, project_id) == {"queued": 3}

    with sessions.begin() as session:
        jobs.pause(session, project_id, ids[0])
        jobs.cancel(session, project_id, ids[1])
    assert counted(sessions, project_id) == {"queued": 1, "paused": 1, "cancelled": 1}

    with sessions.begin() as session:
        jobs.delete(session, project_id, ids[1])
    assert counted(sessions, project_id) == {"queued": 1, "paused": 1}


def test_a_move_that_is_taken_back_was_never_counted(sessions: Sessions, project_id: str, make_job: MakeJob) -> None:
    job = make_job()
    with sessions() as session:
        jobs.cancel(session, project_id, job.id)
        session.rollback()

    assert counted(sessions, project_id) == {"queued": 1}


def test_summed_up_a_number_is_one_row(sessions: Sessions, project_id: str, make_job: MakeJob) -> None:
    for job in [make_job() for _ in range(5)][:2]:
        with sessions.begin() as session:
            jobs.cancel(session, project_id, job.id)
    assert rows(sessions) == 9

    sum_up(sessions)

    assert (rows(sessions), counted(sessions, project_id)) == (2, {"queued": 3, "cancelled": 2})


def test_a_number_that_is_zero_again_leaves_no_row(sessions: Sessions, project_id: str, make_job: MakeJob) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
        jobs.delete(session, project_id, job.id)

    sum_up(sessions)

    assert rows(sessions) == 0


def test_two_that_sum_up_at_once_count_nothing_twice(sessions: Sessions, project_id: str, make_job: MakeJob) -> None:
    for _ in range(4):
        make_job()
    with ThreadPoolExecutor(1) as other, sessions() as first:
        housekeeping.sum_counts(first)
        second = other.submit(sum_up, sessions)  # Waits for the first one's rows.
        make_job()
        first.commit()
        second.result(30)

    assert counted(sessions, project_id) == {"queued": 5}


def test_moves_at_once_do_not_wait_for_each_other(
    sessions: Sessions, project_id: str, make_job: MakeJob, job_spec: JobSpec
) -> None:
    moved = make_job()
    with sessions() as one, sessions() as other:
        jobs.cancel(one, project_id, moved.id)
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        jobs.create(other, project_id, job_spec)
        housekeeping.sum_counts(other)
        other.commit()
        one.commit()

    assert counted(sessions, project_id) == {"queued": 1, "cancelled": 1}
