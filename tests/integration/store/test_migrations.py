from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text

from store.migrate import downgrade, is_current, upgrade
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


def test_migrations_can_be_taken_back_and_applied_again(empty: Engine) -> None:
    upgrade(address(empty))
    downgrade(address(empty), "base")
    assert inspect(empty).get_table_names() == ["alembic_version"]

    upgrade(address(empty))
    with empty.connect() as connection:
        assert differences(connection) == []
