"""The database's own guard of states, for whoever forgets the code's."""

from collections.abc import Callable
from itertools import product

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from store import audit
from store.database import Sessions
from store.states import JOB_STATES, MOVES, TERMINAL
from store.tables import Job

pytestmark = pytest.mark.integration

ALL = list(product(JOB_STATES, JOB_STATES))


@pytest.fixture
def job_id(make_job: Callable[[], Job]) -> str:
    return make_job().id


def put_into(engine: Engine, job_id: str, state: str) -> None:
    """Set a state past the guard."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE jobs DISABLE TRIGGER guard_job"))
        move(connection, job_id, state)
        connection.execute(text("ALTER TABLE jobs ENABLE TRIGGER guard_job"))


def move(connection: Connection, job_id: str, state: str) -> None:
    finished = "clock_timestamp()" if state in TERMINAL else "NULL"
    connection.execute(
        text(
            f"UPDATE jobs SET state = :state, finished_at = {finished}, result = '{{}}', error = '{{}}' WHERE id = :id"
        ),
        {"state": state, "id": job_id},
    )


@pytest.mark.parametrize(("before", "after"), ALL)
def test_the_trigger_allows_exactly_the_moves_of_the_table(
    engine: Engine, job_id: str, before: str, after: str
) -> None:
    put_into(engine, job_id, before)

    if before == after or (before, after) in MOVES:
        with engine.begin() as connection:
            move(connection, job_id, after)
    else:
        with engine.connect() as connection, pytest.raises(IntegrityError, match="must not move"):
            move(connection, job_id, after)


def test_an_unknown_state_is_refused(engine: Engine, job_id: str) -> None:
    with engine.connect() as connection, pytest.raises(IntegrityError):
        move(connection, job_id, "dancing")


def test_every_update_counts_the_version_up(engine: Engine, job_id: str) -> None:
    version = text("SELECT version FROM jobs WHERE id = :id")
    with engine.begin() as connection:
        before = connection.scalar(version, {"id": job_id})
        connection.execute(text("UPDATE jobs SET name = 'other' WHERE id = :id"), {"id": job_id})
        assert connection.scalar(version, {"id": job_id}) == (before or 0) + 1


def test_a_job_has_one_live_attempt_at_most(engine: Engine, job_id: str) -> None:
    columns = "job_id, number, lease_token, worker_id, lease_expires_at"
    row = f"INSERT INTO attempts ({columns}) VALUES (:id, :n, 't', 'w', now())"
    with engine.connect() as connection:
        connection.execute(text(row), {"id": job_id, "n": 1})
        with pytest.raises(IntegrityError, match="uq_attempts_live"):
            connection.execute(text(row), {"id": job_id, "n": 2})


def test_an_audit_entry_is_never_changed(sessions: Sessions, project_id: str) -> None:
    with sessions.begin() as session:
        audit.record(session, project_id, "job.create", "job_1")
    with sessions.begin() as session, pytest.raises(IntegrityError, match="never changed"):
        session.execute(text("UPDATE audit_entries SET action = 'job.read'"))
