"""Bring the database's tables to this version. `fgfi up` calls `upgrade`; in production: `python -m store.migrate`.

Several processes may call it at once: an advisory lock lets one work and the others find nothing left to do.
"""

import argparse
import time
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError

from store.settings import get_settings


def config(database_url: str) -> Config:
    """Alembic's configuration, without a file."""
    spec = find_spec("migrations")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package 'migrations' is not installed")
    made = Config()
    made.set_main_option("script_location", str(Path(spec.origin).parent))
    made.attributes["database_url"] = database_url
    return made


def upgrade(database_url: str, revision: str = "head") -> None:
    """Apply what is missing. database_url: as in `Settings.database_url`."""
    command.upgrade(config(database_url), revision)


def downgrade(database_url: str, revision: str) -> None:
    """Take migrations back, to `revision` or `base`."""
    command.downgrade(config(database_url), revision)


def is_current(database_url: str) -> bool:
    """Whether the database is at this version; for a readiness check."""
    head = ScriptDirectory.from_config(config(database_url)).get_current_head()
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def wait(database_url: str, pause: float = 2.0) -> None:
    """Return once the database is at this version, whoever brings it there."""
    while True:
        try:
            if is_current(database_url):
                return
            print("the tables are of another version: waiting for `python -m store.migrate`", flush=True)
        except OperationalError:
            print("the database does not answer: waiting", flush=True)
        time.sleep(pause)


def main() -> None:
    """`python -m store.migrate [upgrade|wait|downgrade|revision]`."""
    parser = argparse.ArgumentParser(description="Bring the database's tables to this version.")
    parser.add_argument("action", nargs="?", choices=("upgrade", "wait", "downgrade", "revision"), default="upgrade")
    parser.add_argument("argument", nargs="?", help="upgrade, downgrade: the revision; revision: its title")
    chosen = parser.parse_args()
    url = get_settings().database_url
    if chosen.action == "revision":
        command.revision(config(url), message=chosen.argument, autogenerate=True)
    elif chosen.action == "wait":
        wait(url)
    elif chosen.action == "downgrade":
        downgrade(url, chosen.argument or "-1")
    else:
        upgrade(url, chosen.argument or "head")


if __name__ == "__main__":
    main()
