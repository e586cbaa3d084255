"""One short round of `make chaos`: a few faults of each kind of process, a few jobs, the whole service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.drive import play_round
from tests.chaos.stack import Stack


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Stack, str]]:
    stack = Stack(tmp_path)
    try:
        yield stack, stack.start()
    finally:
        stack.stop()


def test_nothing_is_lost_or_done_twice_while_things_break(service: tuple[Stack, str]) -> None:
    findings = play_round(*service, seed=7, jobs=3, faults=8)
    assert (findings.jobs, findings.faults) == (3, 8)
    assert (findings.lost, findings.doubled, findings.regressions) == ([], [], [])
