"""The engine and the sessions. Queries take a session and never commit: the caller has the one commit point.

engine = make_engine(settings)
sessions = make_sessions(engine)
with sessions.begin() as session:          # commits at the end, rolls back on an error
    jobs.cancel(session, project_id, job_id)
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.exc import DataError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from store.jsonable import dumps
from store.settings import Settings

Sessions = sessionmaker[Session]

UNKEPT = DataError
"""What is raised for a value that PostgreSQL cannot hold, such as a text with a NUL character."""

AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""The database did not answer, or broke off: whether the transaction was committed is not known. Try again."""

# A process that stops in the middle of a transaction (SIGSTOP, a lost machine) must not hold a job's row for ever:
# the server ends idle transactions and gives up on silent peers, which frees the row for the reaper.
_SERVER_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "timezone": "UTC",
        "statement_timeout": "30s",
        "lock_timeout": "15s",
        "idle_in_transaction_session_timeout": "30s",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "30s",
    }.items()
)


def make_engine(settings: Settings, *, pool_size: int = 5, application: str = "fgfi") -> Engine:
    """Make the engine of one process. Opens no connection yet."""
    return create_engine(
        settings.database_url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        json_serializer=dumps,
        connect_args={
            "application_name": application,
            "connect_timeout": 5,
            "options": _SERVER_OPTIONS,
            # The client's side of the same care: a silent server is noticed within the lease.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
    )


def make_sessions(engine: Engine, carried: Mapping[str, object] | None = None) -> Sessions:
    """Make the factory of sessions; rows stay readable after the commit. carried: see `limits.info`."""
    return sessionmaker(engine, expire_on_commit=False, info=dict(carried or {}))


def now(session: Session) -> datetime:
    """The time by the database's clock, the only one that counts between machines."""
    moment: datetime = session.scalars(select(func.clock_timestamp())).one()
    return moment
