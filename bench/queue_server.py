"""A PostgreSQL for measurements: the product's own, with the product's settings, and a count of its statements."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from embedded.postgres import START_SECONDS, PostgresServer
from embedded.processes import Process
from store.database import make_engine
from store.migrate import upgrade
from store.settings import Settings

_COUNTED = ("-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_planning=on")


@dataclass(frozen=True)
class Spent:
    """Statements of one shape by one role: how often it ran, and milliseconds in the database for all of them."""

    role: str
    query: str
    calls: int
    milliseconds: float


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server for the length of a block; yields its URL."""
    server = PostgresServer(folder)
    part = server.prepare()
    process = Process(replace(part, command=(*part.command, *_COUNTED)))
    try:
        process.wait_ready(server.ready, START_SECONDS)
        yield server.url
    finally:
        process.stop()


def make_database(url: str, name: str) -> Settings:
    """A database with the product's tables; returns settings that lead to it."""
    server = create_engine(_with_driver(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    own = make_url(_with_driver(url)).set(database=name).render_as_string(hide_password=False)
    upgrade(own)
    return settings_of(own)


def settings_of(database_url: str) -> Settings:
    """Settings for a process that uses nothing but this database."""
    return Settings(
        database_url=database_url,
        redis_url="redis://127.0.0.1:1/0",
        storage_url="file:///nowhere",
        secret_key=SecretStr("a-measurement-needs-no-secret-but-the-settings-do"),
    )


def count_statements(engine: Engine, roles: Iterable[str]) -> None:
    """Begin to count the statements of this server anew; those under `SET LOCAL ROLE` are told apart."""
    with engine.begin() as connection:
        for role in roles:
            connection.execute(text(f"CREATE ROLE {role} SUPERUSER"))
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"))
        connection.execute(text("SELECT pg_stat_statements_reset()"))


def statements(engine: Engine) -> list[Spent]:
    """What this database did since `count_statements`, the dearest first."""
    query = text("""
        SELECT rolname, query, calls, total_exec_time + total_plan_time FROM pg_stat_statements AS s
        JOIN pg_database AS d ON d.oid = s.dbid JOIN pg_roles AS r ON r.oid = s.userid
        WHERE d.datname = current_database() AND toplevel ORDER BY 4 DESC
    """)
    with engine.connect() as connection:
        return [Spent(*row) for row in connection.execute(query)]


def engine_of(settings: Settings, connections: int = 2) -> Engine:
    """An engine as the product makes it, with this many connections kept open."""
    return make_engine(settings, pool_size=connections, application="fgfi bench")


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
