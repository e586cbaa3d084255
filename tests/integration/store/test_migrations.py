import threading
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from store.migrate import downgrade, is_current, upgrade, wait
from store.states import JOB_STATES, TERMINAL
from store.tables import Base

pytestmark = pytest.mark.integration


@pytest.fixture
def empty(postgres_url: str) -> Iterator[Engine]:
    """A database of its own."""
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE migrations"))
    yield create_engine(server.url.set(database="migrations"), poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE migrations"))


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))


def test_migrations_make_exactly_the_tables_of_the_code(empty: Engine) -> None:
    upgrade(address(empty))

    with empty.connect() as connection:
        assert differences(connection) == []


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    upgrade(address(empty))
    upgrade(address(empty))

    assert is_current(address(empty))


def test_an_empty_database_is_not_current(empty: Engine) -> None:
    assert not is_current(address(empty))


def test_whoever_needs_the_tables_waits_for_them(empty: Engine) -> None:
    wait_too = threading.Thread(target=wait, args=(address(empty), 0.05), daemon=True)
    wait_too.start()

    upgrade(address(empty))
    wait_too.join(timeout=60)

    assert not wait_too.is_alive()


def test_migrations_can_be_taken_back_and_applied_again(empty: Engine) -> None:
    upgrade(address(empty))
    downgrade(address(empty), "base")
    assert inspect(empty).get_table_names() == ["alembic_version"]

    upgrade(address(empty))
    with empty.connect() as connection:
        assert differences(connection) == []


def fill(engine: Engine) -> None:
    """A job of each state with an attempt, as the first version wrote them."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO projects (id, name) VALUES ('p', 'p')"))
        dataset = "INSERT INTO datasets (id, project_id, name, state, object_key) VALUES ('d', 'p', 'd', 'ready', 'k')"
        connection.execute(text(dataset))
        for state in JOB_STATES:
            over = "now()" if state in TERMINAL else "NULL"
            connection.execute(
                text(
                    "INSERT INTO jobs (id, project_id, dataset_id, name, spec, metadata, state, result, error, "
                    f"finished_at) VALUES (:state, 'p', 'd', 'n', '{{}}', '{{}}', :state, '{{}}', '{{}}', {over})"
                ),
                {"state": state},
            )
            connection.execute(
                text(
                    "INSERT INTO attempts (job_id, number, lease_token, lease_expires_at, worker_id, ended_at) "
                    "VALUES (:state, 1, 't', now(), 'w', now())"
                ),
                {"state": state},
            )
        connection.execute(text("INSERT INTO workers (id, hostname, pid, queues) VALUES ('w', 'h', 1, '{jobs}')"))


def outbox_kinds(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT kind FROM outbox ORDER BY kind")))


def test_exports_go_on_the_way_down_with_their_messages_alone(empty: Engine) -> None:
    upgrade(address(empty))
    fill(empty)
    with empty.begin() as connection:
        connection.execute(text("INSERT INTO exports (id, dataset_id, format) VALUES ('e', 'd', 'coco')"))
        for kind in ("dataset", "export"):
            connection.execute(text("INSERT INTO outbox (kind, subject_id) VALUES (:kind, 'x')"), {"kind": kind})
    downgrade(address(empty), "0015")

    assert outbox_kinds(empty) == ["dataset"]
    upgrade(address(empty))
    assert outbox_kinds(empty) == ["dataset"]


def states(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT state FROM jobs JOIN attempts ON job_id = jobs.id")))


def test_filled_tables_survive_the_way_up_and_down(empty: Engine) -> None:
    upgrade(address(empty), "0001")
    fill(empty)

    upgrade(address(empty))
    assert sorted(states(empty)) == sorted(JOB_STATES)
    downgrade(address(empty), "0001")
    assert sorted(states(empty)) == sorted(JOB_STATES)
    upgrade(address(empty))
    with empty.connect() as connection:
        assert differences(connection) == []


def test_jobs_from_before_are_counted(empty: Engine) -> None:
    upgrade(address(empty), "0013")
    fill(empty)
    upgrade(address(empty))

    with empty.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'paused' WHERE state = 'queued'"))
        counted = connection.execute(
            text("SELECT state, sum(jobs) FROM job_counts GROUP BY state HAVING sum(jobs) > 0")
        )
        assert dict(counted.all()) == {state: 1 for state in JOB_STATES if state != "queued"} | {"paused": 2}


def test_the_first_version_guards_its_states_again_after_the_way_down(empty: Engine) -> None:
    upgrade(address(empty))
    fill(empty)
    downgrade(address(empty), "0001")

    retry = text("UPDATE jobs SET state = 'queued', finished_at = NULL WHERE state = 'failed'")
    with empty.connect() as connection, pytest.raises(IntegrityError, match="must not move"):
        connection.execute(retry)
