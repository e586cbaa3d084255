"""The way through the versions one by one, each with rows that only it can have, up and down."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, NullPool, create_engine, text

from store import attempts, leases
from store.attempts import Trace
from store.database import make_sessions
from store.leases import Lease, Pulse
from store.migrate import config, downgrade, upgrade

pytestmark = pytest.mark.integration

# What is written once a version is reached, as its code would have.
WRITTEN: dict[str, tuple[str, ...]] = {
    "0001": (
        "INSERT INTO projects (id, name) VALUES ('p', 'p')",
        "INSERT INTO datasets (id, project_id, name, state, object_key) VALUES ('d', 'p', 'd', 'ready', 'k')",
        (
            "INSERT INTO jobs (id, project_id, dataset_id, name, spec, metadata, state, error, finished_at) "
            "VALUES ('failed', 'p', 'd', 'n', '{}', '{}', 'failed', '{}', now())"
        ),
        (
            "INSERT INTO jobs (id, project_id, dataset_id, name, spec, metadata, state, current_attempt, "
            "last_sequence) VALUES ('running', 'p', 'd', 'n', '{}', '{}', 'running', 1, 1)"
        ),
        (
            "INSERT INTO attempts (job_id, number, lease_token, lease_expires_at, worker_id) "
            "VALUES ('running', 1, 't', now() + interval '1 hour', 'w')"
        ),
        "INSERT INTO job_events (job_id, sequence, attempt, kind, data) VALUES ('running', 1, 1, 'log', '{}')",
        "INSERT INTO workers (id, hostname, pid, queues) VALUES ('w', 'h', 1, '{jobs}')",
        "INSERT INTO outbox (kind, subject_id) VALUES ('job', 'failed')",
    ),
    # A retry.
    "0002": ("UPDATE jobs SET state = 'queued', finished_at = NULL, error = NULL WHERE id = 'failed'",),
    # An attempt that ran out of memory.
    "0003": (
        "UPDATE attempts SET reason = 'out_of_memory', exit_code = 22, micro_batch = 8",
        "UPDATE jobs SET memory_retries = 1, micro_batch = 4 WHERE id = 'running'",
    ),
    # A job for GPUs alone, and a worker that has one.
    "0004": (
        "UPDATE jobs SET queue = 'jobs.gpu' WHERE id = 'failed'",
        "UPDATE workers SET classes = '{gpu,cpu}', devices = '[{\"name\": \"a card\"}]', trouble = 'none'",
        "UPDATE outbox SET queue = 'jobs.gpu'",
    ),
    # A message that waits for its receiver.
    "0009": (
        "INSERT INTO webhooks (id, project_id, url, events) VALUES ('w', 'p', 'https://example.com', '{job.failed}')",
        (
            "INSERT INTO webhook_deliveries (id, webhook_id, event, data, give_up_at) "
            "VALUES ('m', 'w', 'job.failed', '{}', now() + interval '1 day')"
        ),
    ),
    # A browser that came in by a key's link, and what it did.
    "0010": (
        "INSERT INTO api_keys (id, project_id, name, hint, digest, scopes) VALUES ('k', 'p', 'n', 'h', 'd', '{admin}')",
        (
            "INSERT INTO login_links (digest, project_id, key_id, scopes, expires_at) "
            "VALUES ('l', 'p', 'k', '{admin}', now())"
        ),
        (
            "INSERT INTO browser_sessions (id, project_id, key_id, scopes, expires_at) "
            "VALUES ('s', 'p', 'k', '{admin}', now())"
        ),
        (
            "INSERT INTO audit_entries (id, project_id, actor_kind, actor_id, action) "
            "VALUES ('a', 'p', 'key', 'k', 'job.create')"
        ),
    ),
    # A project with limits.
    "0011": ("UPDATE projects SET max_jobs = 3, max_bytes = 4, max_device_hours = 0.5",),
    # A worker that says how busy it is.
    "0013": ("UPDATE workers SET load = '{\"busy\": 0.5}'",),
    # A comparison of two jobs, and the key of the request that made it.
    "0008": (
        "INSERT INTO job_groups (id, project_id, name, base, variants) VALUES ('g', 'p', 'g', '{}', '[]')",
        "UPDATE jobs SET group_id = 'g', arm = id",
        (
            "INSERT INTO idempotency_keys (project_id, key, request_sha256, group_id, expires_at) "
            "VALUES ('p', 'k', 's', 'g', now() + interval '1 hour')"
        ),
    ),
}
KEPT = [("failed", "queued", 0, None), ("running", "running", 1, "t")]


@pytest.fixture
def empty(postgres_url: str) -> Iterator[Engine]:
    """A database of its own."""
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE versions"))
    yield create_engine(server.url.set(database="versions"), poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE versions"))


def versions(address: str) -> list[str]:
    """All of them, the first one first."""
    script = ScriptDirectory.from_config(config(address))
    return [one.revision for one in script.walk_revisions()][::-1]


def found(engine: Engine) -> list[tuple[object, ...]]:
    query = (
        "SELECT id, state, current_attempt, lease_token FROM jobs "
        "LEFT JOIN attempts ON job_id = id AND ended_at IS NULL ORDER BY id"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_jobs_that_wait_and_run_survive_every_step_up_and_down(empty: Engine) -> None:
    address = empty.url.render_as_string(hide_password=False)
    way = versions(address)
    for version in way:
        upgrade(address, version)
        with empty.begin() as connection:
            for statement in WRITTEN.get(version, ()):
                connection.exec_driver_sql(statement)
    assert found(empty) == KEPT

    for version in way[-2::-1]:
        downgrade(address, version)
        assert found(empty) == KEPT
    with empty.connect() as connection:  # A version without classes would never take a job from another queue.
        assert connection.scalars(text("SELECT DISTINCT queue FROM jobs")).all() == ["jobs"]

    for version in way[1:]:
        upgrade(address, version)
        assert found(empty) == KEPT


def test_a_live_lease_is_renewed_by_the_code_of_today_after_the_way_up(empty: Engine) -> None:
    address = empty.url.render_as_string(hide_password=False)
    upgrade(address, "0001")
    with empty.begin() as connection:
        for statement in WRITTEN["0001"]:
            connection.exec_driver_sql(statement)
    upgrade(address)

    sessions = make_sessions(empty)
    with sessions.begin() as session:
        lease = Lease("running", 1, "t")
        assert leases.heartbeat(session, lease, timedelta(seconds=75)) == Pulse(cancel=False, pause=False)
        assert attempts.succeed(session, lease, {"name": "n"}, Trace("done")) == "succeeded"


def test_a_version_that_knows_no_evaluations_finds_none(empty: Engine) -> None:
    address = empty.url.render_as_string(hide_password=False)
    upgrade(address)
    with empty.begin() as connection:
        for statement in WRITTEN["0001"]:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("UPDATE jobs SET kind = 'evaluation' WHERE id = 'failed'")
    downgrade(address, "0011")
    with empty.connect() as connection:
        assert connection.scalars(text("SELECT id FROM jobs")).all() == ["running"]
    upgrade(address)
    with empty.connect() as connection:
        assert connection.scalars(text("SELECT kind FROM jobs")).all() == ["distillation"]
