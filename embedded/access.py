"""The operator's way into the service: tables brought up to date, a first API key, a one-time login link.

`fgfi up` uses it for its own machine; elsewhere: python -m embedded.access
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from embedded.errors import StackError
from store import keys, logins, projects
from store.database import make_engine, make_sessions
from store.migrate import upgrade
from store.principal import SCOPES, Principal
from store.settings import Settings

_KEY_NAME = "the operator"


class Access:
    """Speaks to the database with the settings that the parts get. Raises StackError when they are wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        ours = [name for name in environment if name.startswith("FGFI_")]
        values = {name.removeprefix("FGFI_").lower(): environment[name] for name in ours}
        try:
            # The values from the environment are text; pydantic makes them what the fields are.
            self._settings = Settings.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])).upper()
            raise StackError(f"FGFI_{field} is wrong: {first['msg'].removeprefix('Value error, ')}") from error
        self._engine = make_engine(self._settings, pool_size=1, application="fgfi-up")
        self._sessions = make_sessions(self._engine)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def migrate(self) -> None:
        """Bring the tables to this version."""
        with _readable_errors():
            upgrade(self._settings.database_url)

    def key_for_this_machine(self, earlier: str | None) -> str:
        """An API key that works: the earlier one while it does, else a new one."""
        with self._transaction() as session:
            known = keys.verify(session, earlier, self._settings.secret_key) if earlier else None
            if earlier and known is not None and known.may("operator"):
                return earlier
            project = projects.ensure(session)
            return keys.create(session, project.id, _KEY_NAME, SCOPES, self._settings.secret_key).token

    def login_link(self) -> str:
        """A link that opens the dashboard once."""
        with self._transaction() as session:
            project = projects.ensure(session)
            valid = timedelta(minutes=self._settings.login_link_minutes)
            token = logins.create_link(session, _operator(project.id), self._settings.secret_key, valid)
        return f"{self._settings.public_url.rstrip('/')}/login?token={token}"

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with _readable_errors(), self._sessions.begin() as session:
            yield session


def _operator(project_id: str) -> Principal:
    """Whoever has this machine may do everything."""
    return Principal(project_id, frozenset(SCOPES))


def main() -> None:
    """Print a new API key and a login link for the service that the environment describes."""
    access = Access(os.environ)
    print(f"API key (shown once): {access.key_for_this_machine(None)}")
    print(f"log in once with: {access.login_link()}")
    access.close()


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = " ".join(str(error.orig or error).split())
        raise StackError(f"the database does not answer: {reason}") from error


if __name__ == "__main__":
    main()
