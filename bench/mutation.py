"""Removes each predicate that keeps a job with its holder, one after the other, and shows which test sees it.

python -m bench.mutation [NAME ...] [--machine]

Works in a copy of the repository. NAME: only predicates whose name contains one of these. --machine: hold them to the
random lives of `test_machine.py` alone, which is told nothing of predicates. Exit code 1 when one of them is missed by
every test: then it does nothing, or a test is missing.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import alembic.command  # noqa: F401 - loaded here, once, for every fork
import hypothesis.stateful  # noqa: F401
import psycopg  # noqa: F401
import pydantic_settings  # noqa: F401
import pytest
import sqlalchemy.orm  # noqa: F401

from bench.mutants import MUTANTS, Mutant
from embedded import postgres

ROOT = Path(__file__).parents[1]
MACHINE = "tests/integration/store/test_machine.py"
# What a test needs of the repository; the rest would take longer to copy than to test.
COPIED = ("api", "bench", "client", "embedded", "fgfi_core", "migrations", "store", "tests", "worker", "pyproject.toml")


def mutate(source: str, mutant: Mutant) -> str:
    """The source without the predicate. Raises ValueError when it is not there: the list is out of date."""
    parts = source.split(mutant.code)
    if len(parts) < mutant.nth + 2:
        raise ValueError(f"{mutant.name}: {mutant.file} has no {mutant.code!r} number {mutant.nth}")
    before, after = mutant.code.join(parts[: mutant.nth + 1]), mutant.code.join(parts[mutant.nth + 1 :])
    return before + mutant.instead + after


def first_red(copy: Path, tests: tuple[str, ...], database: str) -> str | None:
    """The first test that fails in the copy, None when all pass.

    In a fork of this process, which has loaded the libraries and nothing of ours, and has a database running: else most
    of the time would go into starting.
    """
    report = copy / "report.txt"
    child = os.fork()
    if child == 0:
        code = 3
        try:
            with report.open("w") as output:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
            code = _test(copy, tests, database)
        except BaseException:  # noqa: BLE001 - it goes into the report; the parent's own clean-up is not for the child
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    said = report.read_text()
    found = re.search(r"^(?:FAILED|ERROR) (?:\S*/)?(\S+::\S+)", said, re.MULTILINE)
    if os.waitstatus_to_exitcode(status) == 0:
        return None
    if found is None:
        raise RuntimeError(f"pytest could not run:\n{said[-4000:]}")
    return found[1]


def _test(copy: Path, tests: tuple[str, ...], database: str) -> int:
    os.chdir(copy)
    sys.path[:] = [str(copy), *(one for one in sys.path if Path(one or ".").resolve() != ROOT)]
    os.environ["PYTHONPATH"] = str(copy)

    @contextmanager
    def running(_: Path) -> Iterator[str]:
        yield database

    vars(postgres)["running"] = running
    import store  # noqa: PLC0415 - the copy's

    if not Path(store.__file__ or "").is_relative_to(copy):
        raise RuntimeError(f"{store.__file__} would be tested instead of the copy")
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--assert=plain", *tests])


def seen_by(copy: Path, mutant: Mutant, database: str, *, machine: bool) -> str | None:
    """Which test sees the mutant: of its own ones, or else the machine."""
    file = copy / mutant.file
    whole = file.read_text()
    file.write_text(mutate(whole, mutant))
    try:
        if machine:
            return first_red(copy, (MACHINE,), database)
        return first_red(copy, mutant.tests, database) or first_red(copy, (MACHINE,), database)
    finally:
        file.write_text(whole)


def main() -> int:
    """Print a row a predicate; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--machine", action="store_true")
    given = parser.parse_args()
    chosen = [one for one in MUTANTS if not given.names or any(name in one.name for name in given.names)]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="fgfi-mutation-") as folder, postgres.running(Path(folder, "db")) as url:
        copy = Path(folder, "copy").resolve()
        copy.mkdir()
        for name in COPIED:
            source = ROOT / name
            leave = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, copy / name, ignore=leave) if source.is_dir() else shutil.copy(source, copy / name)
        print(f"{'removed':46}  {'seconds':>7}  first test that is red")
        for mutant in chosen:
            began = time.monotonic()
            test = seen_by(copy, mutant, url, machine=given.machine)
            missed += test is None
            print(f"{mutant.name:46}  {time.monotonic() - began:7.0f}  {test or '!! none'}", flush=True)
    print(f"{len(chosen)} predicates removed, {missed} not missed by any test")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
