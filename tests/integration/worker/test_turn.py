"""A hint is a knock on the door: the worker looks whose turn it is."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fgfi_core.spec import JobSpec
from store import jobs
from store.database import Sessions
from store.queues import Placing
from store.tables import Job
from worker.devices import Devices
from worker.turn import take_turn
from worker.workplace import Workplace

pytestmark = pytest.mark.integration

SUCCESS = (sys.executable, str(Path(__file__).with_name("scripted_child.py")), "success")


@pytest.fixture
def urgent(sessions: Sessions, project_id: str, job_spec: JobSpec) -> Callable[[], Job]:
    def make() -> Job:
        with sessions.begin() as session:
            return jobs.create(session, project_id, job_spec, placing=Placing(priority="high")).job

    return make


def test_the_job_whose_turn_it_is_runs_and_the_other_keeps_a_hint(
    place: Workplace, make_job: Callable[[], Job], urgent: Callable[[], Job], look: Any
) -> None:
    named, first = make_job(), urgent()
    announced: list[str] = []
    assert take_turn(place, named.id, announced.append, command=SUCCESS)
    assert (look.job(first.id).state, look.job(named.id).state) == ("succeeded", "queued")
    assert announced == [named.id]


def test_the_hint_of_a_job_that_is_done_brings_the_next_one_forward(
    place: Workplace, make_job: Callable[[], Job], urgent: Callable[[], Job], look: Any
) -> None:
    done, waiting = urgent(), make_job()
    announced: list[str] = []
    take_turn(place, done.id, announced.append, command=SUCCESS)
    assert take_turn(place, done.id, announced.append, command=SUCCESS)
    assert (look.job(waiting.id).state, announced) == ("succeeded", [])


def test_a_hint_with_nothing_behind_it_is_no_error(place: Workplace) -> None:
    announced: list[str] = []
    assert not take_turn(place, "job_none", announced.append)
    assert announced == []


class Broken(Exception):
    """Stands for NVML's error."""


def test_a_worker_whose_device_is_ill_passes_the_hint_on_and_takes_nothing(
    place: Workplace, make_job: Callable[[], Job], look: Any
) -> None:
    well = True

    def count() -> int:
        if not well:
            raise Broken("GPU is lost")
        return 1

    nvml = SimpleNamespace(
        NVMLError=Broken,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=count,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda _: b"a card",
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=1),
    )
    place.devices = Devices(nvml, {})
    job, announced = make_job(), list[str]()
    well = False

    worker = threading.Thread(target=take_turn, args=(place, job.id, announced.append))
    worker.start()
    look.until(lambda: place.trouble is not None)
    assert (announced, "GPU is lost" in str(place.trouble)) == ([job.id], True)
    place.stopping.request()
    worker.join(30)
    assert (look.job(job.id).state, look.job(job.id).current_attempt) == ("queued", 0)
