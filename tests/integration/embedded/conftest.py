"""A database that nothing has touched."""

import secrets

import psycopg
import pytest


@pytest.fixture
def fresh_database(postgres_url: str) -> str:
    """The address of an empty database on the session's server."""
    name = f"fresh_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres_url.replace("/postgres?", f"/{name}?")
