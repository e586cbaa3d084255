"""The lock that lets one steward work at a time: the server's own, gone with the connection that holds it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select

_KEY = 7_210_463_518_002


@contextmanager
def candidate(engine: Engine) -> Iterator[Connection]:
    """A connection that may take the lock, and holds it until the block ends."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def take(connection: Connection) -> bool:
    """Take the lock; False while another steward has it."""
    return bool(connection.scalar(select(func.pg_try_advisory_lock(_KEY))))


def check(connection: Connection) -> None:
    """Raise sqlalchemy's DBAPIError when the connection is lost, and the lock with it."""
    connection.execute(select(1))
