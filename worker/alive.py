"""A sign of life for whatever runs this process: a file it touches; `python -m worker.alive` fails when that is old.

A stopped steward keeps its lock and nobody else can work: who runs it must see that, and end it. The sign depends on
nothing but this process: while the database is away, no process is better for a restart.
"""

import argparse
import sys
import time
from pathlib import Path

from store.settings import get_settings


def beat(file: Path | None) -> None:
    """Say that this process goes on; None where nobody asks."""
    if file is not None:
        file.touch()


def age(file: Path) -> float | None:
    """Seconds since the last sign; None when there was none yet."""
    try:
        return max(time.time() - file.stat().st_mtime, 0.0)
    except FileNotFoundError:
        return None


def main() -> None:
    """Exit with 0 when the process beside this one, of the same environment, lives; else say why and exit with 1."""
    parser = argparse.ArgumentParser(description="Whether the steward or worker of this container lives.")
    parser.add_argument("--within", type=float, default=90, metavar="SECONDS", help="Oldest sign that will do.")
    within = parser.parse_args().within
    file = get_settings().alive_file
    if file is None:
        sys.exit("FGFI_ALIVE_FILE is not set: there is no sign to look at")
    found = age(file)
    if found is None:
        sys.exit(f"there was no sign of life yet in {file}")
    if found > within:
        sys.exit(f"the last sign of life is {found:.0f} s old, more than {within:.0f}")


if __name__ == "__main__":
    main()
