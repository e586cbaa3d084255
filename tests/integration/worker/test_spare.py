"""A runner that waits for its job: used once, replaced, and no harm when it died while it waited."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from store.tables import Job
from worker.spare import Spare
from worker.workplace import Workplace

pytestmark = pytest.mark.integration

COMMAND = (sys.executable, str(Path(__file__).with_name("scripted_child.py")), "who")


@pytest.fixture
def spare(place: Workplace, tmp_path: Path) -> Iterator[Spare]:
    place.spare = Spare(tmp_path / "spare", None)
    yield place.spare
    place.spare.discard()


def waiting() -> list[int]:
    """The process ids of spares below this process."""
    return [child.pid for child in psutil.Process().children() if "--spare" in child.cmdline()]


def test_the_runner_that_waited_runs_the_job_and_another_takes_its_place(
    spare: Spare, attempt: Callable[[str, str], bool], make_job: Callable[[], Job], look: Any
) -> None:
    spare.prepare(COMMAND)
    (first,) = waiting()
    jobs = [make_job() for _ in range(2)]
    attempt(jobs[0].id, "who")
    (second,) = waiting()
    attempt(jobs[1].id, "who")
    assert [look.job(job.id).result["pid"] for job in jobs] == [first, second]
    assert first != second


def test_without_a_runner_that_waits_one_is_started(
    spare: Spare, attempt: Callable[[str, str], bool], make_job: Callable[[], Job], look: Any
) -> None:
    job = make_job()
    attempt(job.id, "who")
    assert look.job(job.id).state == "succeeded"
    assert len(waiting()) == 1
    del spare


def test_a_runner_that_died_while_it_waited_is_no_loss(
    spare: Spare, attempt: Callable[[str, str], bool], make_job: Callable[[], Job], look: Any
) -> None:
    spare.prepare(COMMAND)
    (pid,) = waiting()
    os.kill(pid, signal.SIGKILL)
    look.until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    job = make_job()
    attempt(job.id, "who")
    assert (look.job(job.id).state, look.job(job.id).losses) == ("succeeded", 0)


def test_a_runner_that_waits_is_told_its_options(spare: Spare, tmp_path: Path) -> None:
    spare.prepare(COMMAND)
    child = spare.take(COMMAND, tmp_path, ["--micro-batch=4"])
    assert child is not None
    line = child.next_line(60) or b""
    child.reap()
    assert b'"images": "4"' in line


def test_a_worker_that_stops_leaves_no_runner_behind(spare: Spare, tmp_path: Path) -> None:
    spare.prepare(COMMAND)
    spare.discard()
    assert (waiting(), list(tmp_path.glob("spare"))) == ([], [])
