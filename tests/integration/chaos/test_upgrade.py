"""An upgrade: API, steward and worker are stopped in order, and others take their place while a job runs."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.checker import check
from tests.chaos.child import uninterrupted
from tests.chaos.client import Client
from tests.chaos.history import JobHistory, Plan
from tests.chaos.stack import Stack

PARTS = ("api", "steward-1", "worker-1")
STEPS = 60
PLAN = Plan(
    "before-the-upgrade",
    {"steps": STEPS, "every": 5, "pause": 0.05, "ends": "well"},
    ends="succeeded",
    every=5,
    digest=uninterrupted(STEPS),
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Stack, Client]]:
    stack = Stack(tmp_path)
    try:
        client = Client(stack.url, stack.start(("worker-1", "steward-1")))
        yield stack, client
        client.close()
    finally:
        stack.stop()


def until(condition: Callable[[], object], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def published(client: Client, history: JobHistory) -> int:
    client.look(history)
    return sum(event["kind"] == "checkpoint" for event in history.seen)


def test_a_job_begun_before_a_restart_of_everything_ends_well_and_loses_nothing(
    service: tuple[Stack, Client],
) -> None:
    stack, client = service
    history = client.create(PLAN, client.add_dataset())
    until(lambda: published(client, history) >= 2)

    for name in PARTS:
        stack.signal(name, signal.SIGTERM)
    until(lambda: stack.ended() == set(PARTS))
    stack.migrate()
    stack.mend()
    until(lambda: client.look(history) == "succeeded")

    client.close_book(history)
    findings = check([history])
    assert (findings.lost, findings.doubled, findings.regressions) == ([], [], [])
    assert history.job is not None
    assert [(one["outcome"], one["reason"]) for one in history.job["attempts"]] == [
        ("stopped", "preempt"),
        ("succeeded", None),
    ]
    # A shutdown in order is not a loss: it goes on at the very step it stopped at.
    assert findings.lost_steps == [0]
