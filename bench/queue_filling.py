"""Jobs by the million, as years of use would leave them: most of them over, some queued, a few running.

Everything is made by the database itself (`INSERT ... SELECT generate_series`), with keys and guards switched off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, text

from fgfi_core.spec import DETECTORS, JobSpec

PROJECTS = 8
DATASETS = 4

# Half of all jobs are of the first project. Jobs are as old as their number is small, twenty seconds apart.
_JOBS = """
    INSERT INTO jobs (id, project_id, dataset_id, name, spec, resolved, metadata, state, stage, result, error,
                      version, last_sequence, queue, priority, available_at, published_at, current_attempt,
                      created_at, updated_at, started_at, finished_at)
    SELECT id, project_id, project_id || '-data-' || n / 16 % :datasets,
           (ARRAY['cells', 'boards', 'roads', 'leaves', 'parts'])[n % 5 + 1] || ' run ' || n,
           CAST(:spec AS jsonb), '{"batch_size": 8}', '{"line": 3}', state,
           CASE WHEN state = 'queued' THEN NULL ELSE 'report' END,
           CASE WHEN state = 'succeeded' THEN CAST(:result AS jsonb) END,
           CASE WHEN state = 'failed' THEN '{"code": "diverged", "message": "m", "hint": "h"}'::jsonb END,
           8, CASE state WHEN 'queued' THEN 1 WHEN 'running' THEN 2 ELSE 4 END,
           (ARRAY['jobs', 'jobs.gpu', 'jobs.cpu'])[n / 16 % 3 + 1], (ARRAY[0, 0, 0, 10, -10])[n / 16 % 5 + 1],
           created_at, created_at, CASE WHEN state = 'queued' THEN 0 ELSE 1 END,
           created_at, created_at, CASE WHEN state <> 'queued' THEN created_at END,
           CASE WHEN state IN ('succeeded', 'failed', 'cancelled') THEN created_at + interval '1 hour' END
    FROM (
        SELECT n, 'job_' || substr(md5(n::text), 1, 22) AS id,
               'project-' || CASE WHEN n % 2 = 0 THEN 0 ELSE n / 2 % (:projects - 1) + 1 END AS project_id,
               clock_timestamp() - (:rows - n) * interval '20 seconds' AS created_at,
               CASE WHEN n > :rows - :queued THEN 'queued'
                    WHEN n > :rows - :queued - :running THEN 'running'
                    WHEN n <= :paused THEN 'paused'
                    WHEN n % 100 / 2 < 4 THEN 'failed'
                    WHEN n % 100 / 2 < 7 THEN 'cancelled'
                    ELSE 'succeeded' END AS state
        FROM generate_series(1, :rows) AS n
    ) AS made ORDER BY n
"""
_ATTEMPTS = """
    INSERT INTO attempts (job_id, number, lease_token, lease_expires_at, worker_id, device, last_stage, last_step,
                          reports, started_at, heartbeat_at, ended_at, outcome, message, log_tail)
    SELECT id, 1, md5(id), CASE state WHEN 'running' THEN clock_timestamp() + interval '1 day' ELSE created_at END,
           'worker-' || hashtext(id) % 50, 'cuda:0', 'report', 4000, 900, created_at, created_at,
           CASE WHEN state <> 'running' THEN created_at + interval '1 hour' END,
           CASE WHEN state <> 'running' THEN 'succeeded' END, 'The run is complete.', repeat('a line of output ', 8)
    FROM jobs WHERE state <> 'queued' ORDER BY id
"""
_EVENTS = """
    INSERT INTO job_events (job_id, sequence, attempt, kind, data, time)
    SELECT id, sequence, current_attempt,
           CASE sequence WHEN 3 THEN 'stage_started' ELSE 'state' END,
           jsonb_build_object('from', 'queued', 'to', state, 'stage', 'teacher', 'message', 'Something came to pass.'),
           created_at
    FROM jobs CROSS JOIN generate_series(1, 4) AS sequence WHERE sequence <= last_sequence ORDER BY id, sequence
"""
_OUTBOX = """
    INSERT INTO outbox (kind, subject_id, queue, available_at, created_at, published_at)
    SELECT 'job', id, queue, created_at, created_at, created_at FROM jobs ORDER BY created_at
"""
# With triggers switched off nobody counts.
_COUNTS = """
    INSERT INTO job_counts (project_id, state, jobs) SELECT project_id, state, count(*) FROM jobs GROUP BY 1, 2
"""
_TABLES = {"jobs": _JOBS, "attempts": _ATTEMPTS, "job_events": _EVENTS, "outbox": _OUTBOX, "job_counts": _COUNTS}


@dataclass(frozen=True)
class Share:
    """How many jobs are in each state that is not an end."""

    queued: int
    running: int = 50
    paused: int = 10

    @classmethod
    def usual(cls, rows: int) -> "Share":
        """A fifth of a small table is queued, a hundredth of a large one."""
        return cls(max(rows // 100, min(rows // 5, 200)))


def fill(engine: Engine, rows: int, share: Share | None = None) -> None:
    """Fill the empty tables with this many jobs of several projects, their attempts, events and messages."""
    with engine.begin() as connection:
        # Keys are right by construction; checking a million of them takes longer than making them.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        _owners(connection)
        values = {
            "rows": rows,
            **asdict(share or Share.usual(rows)),
            "projects": PROJECTS,
            "datasets": DATASETS,
            "spec": _spec(),
            "result": '{"gain": 9.5, "seconds": 3600, "note": "%s"}' % ("r" * 400),
        }
        for table, statement in _TABLES.items():
            with _without_indexes(connection, table):
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(text(statement), used)
    settle(engine)


def settle(engine: Engine) -> None:
    """Do now what autovacuum would do at some moment of the measurement."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


@contextmanager
def _without_indexes(connection: Connection, table: str) -> Iterator[None]:
    """Make a table's indexes after its rows, which takes a fraction of the time; keys stay."""
    query = text("""
        SELECT indexname, indexdef FROM pg_indexes
        WHERE tablename = :table AND indexname NOT IN (SELECT conname FROM pg_constraint)
    """)
    found = connection.execute(query, {"table": table}).all()
    for name, _ in found:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    for _, definition in found:
        connection.execute(text(definition.replace(":", "\\:")))


def _owners(connection: Connection) -> None:
    connection.execute(
        text("INSERT INTO projects (id, name) SELECT 'project-' || n, n FROM generate_series(0, :last) AS n"),
        {"last": PROJECTS - 1},
    )
    connection.execute(
        text("""
            INSERT INTO datasets (id, project_id, name, state, object_key)
            SELECT id || '-data-' || n, id, 'cells', 'ready', id || n
            FROM projects CROSS JOIN generate_series(0, :last) AS n
        """),
        {"last": DATASETS - 1},
    )


def _spec() -> str:
    detector = {"detector": next(iter(DETECTORS))}
    return JobSpec.model_validate(
        {"name": "cells", "dataset": {"id": "ds_of_no_matter"}, "teacher": detector, "student": detector}
    ).model_dump_json()
