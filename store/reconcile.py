"""Compare the database with the object store: `python -m store.reconcile`, in the service's environment.

Exit codes: 0 every row has its object, 1 some have not, 2 wrong command line or settings, 3 database or object store
away.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from store.database import AWAY, make_engine, make_sessions
from store.objects import StorageAway, open_store
from store.reconciliation import Reconciliation, delete_orphans, reconcile
from store.settings import SettingsError, get_settings

EXIT_WRONG, EXIT_USAGE, EXIT_AWAY = 1, 2, 3


def _as_json(result: Reconciliation) -> str:
    def spelled(value: datetime) -> str:
        return value.isoformat()

    return json.dumps(asdict(result), default=spelled, indent=1)


def _as_text(result: Reconciliation) -> Iterator[str]:
    for one in result.broken:
        row = one.promise
        found_size = "" if one.found is None else f", {one.found} bytes found"
        yield f"{one.reason}: {row.table} {row.id}: {row.key} ({row.size} bytes{found_size})"
    for found in result.orphans:
        yield f"orphan: {found.key} ({found.size} bytes, of {found.modified:%Y-%m-%d %H:%M} UTC)"
    compared = f"{result.rows} rows, {result.objects} objects: {len(result.broken)} rows without their object"
    size = sum(found.size for found in result.orphans)
    yield f"{compared}, {len(result.orphans)} orphans of {size} bytes, {result.deleted} deleted."


def _arguments(argv: Sequence[str] | None, grace_hours: float) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m store.reconcile", description=__doc__)
    parser.add_argument("--contents", action="store_true", help="read every object and compare its sha256, too")
    parser.add_argument("--delete-orphans", action="store_true", help="delete objects that no row names")
    parser.add_argument(
        "--grace-hours",
        type=float,
        default=grace_hours,
        help="an object is no orphan before; what is uploaded just now has no row yet (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    chosen = parser.parse_args(argv)
    if chosen.grace_hours < 0:
        parser.error("--grace-hours must not be negative")
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    """Reconcile, print the report, return the exit code."""
    try:
        settings = get_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    chosen = _arguments(argv, settings.orphan_hours)
    sessions = make_sessions(make_engine(settings, pool_size=1, application="fgfi reconcile"))
    try:
        objects = open_store(settings.storage_url)
        result = reconcile(sessions, objects, timedelta(hours=chosen.grace_hours), contents=chosen.contents)
        if chosen.delete_orphans:
            deleted = delete_orphans(sessions, objects, result.orphans)
            result = replace(result, deleted=deleted)
    except StorageAway as error:
        print(f"{error.message}. {error.hint}", file=sys.stderr)
        return EXIT_AWAY
    except AWAY as error:
        # Without its text, which may hold the address with its password.
        print(f"The database does not answer ({type(error).__name__}): see FGFI_DATABASE_URL.", file=sys.stderr)
        return EXIT_AWAY
    print(_as_json(result) if chosen.json else "\n".join(_as_text(result)))
    return EXIT_WRONG if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
