"""Alembic's entry point: runs migrations online, one process at a time."""

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, text

from store.tables import Base

LOCK = 7_210_463_518_001


def run(connection: Connection) -> None:
    """Run what Alembic was asked to, under a lock that ends with the transaction."""
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


engine = create_engine(context.config.attributes["database_url"], poolclass=NullPool)
with engine.connect() as opened:
    run(opened)
