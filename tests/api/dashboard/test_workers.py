"""What the page of workers shows, before any HTML."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.dashboard.views.workers import WorkerRow, workers_view
from store.tables import Worker

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GIB = 2**30


def a_worker(**values: Any) -> Worker:
    standard = {
        "id": "w1",
        "hostname": "bench",
        "pid": 7,
        "queues": ["jobs", "jobs.cpu"],
        "classes": ["cpu"],
        "devices": [],
        "seen_at": NOW,
        "started_at": NOW,
    }
    return Worker(**(standard | values))


def shown(worker: Worker, own: dict[str, str] | None = None) -> WorkerRow:
    return workers_view([worker], own or {}, {}, NOW).workers[0]


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "idle"),
        ({"job_id": "job_1"}, "working"),
        ({"job_id": "job_1", "trouble": "a device is gone"}, "trouble"),
        ({"job_id": "job_1", "seen_at": NOW - timedelta(minutes=2)}, "lost"),
    ],
)
def test_a_worker_is_shown_as_what_it_does(values: dict[str, Any], state: str) -> None:
    assert shown(a_worker(**values)).state == state


def test_of_another_projects_job_nothing_is_said_but_that_it_is_there() -> None:
    foreign = shown(a_worker(job_id="job_foreign"), {"job_own": "mine"})
    assert (foreign.job, foreign.elsewhere) == (None, True)
    assert "job_foreign" not in str(foreign)
    assert shown(a_worker(job_id="job_own"), {"job_own": "mine"}).job == ("job_own", "mine")


def test_load_stands_beside_the_device_that_has_it() -> None:
    load = {
        "busy": 0.25,
        "processors": 8,
        "memory_used": 4 * GIB,
        "memory": 16 * GIB,
        "devices": [{"busy": 0.9, "memory_used": 78 * GIB}],
    }
    machine, card = shown(a_worker(devices=[{"name": "card", "memory": 80 * GIB}], load=load)).devices
    assert [(one.label, one.text, one.kind) for one in machine.meters] == [
        ("load", "25 %", "busy"),
        ("memory", "4 of 16 GiB", "busy"),
    ]
    assert [(one.label, one.text, one.kind) for one in card.meters] == [
        ("load", "90 %", "busy"),
        ("memory", "78 of 80 GiB", "warn"),
    ]


def test_a_worker_that_says_no_load_is_shown_all_the_same() -> None:
    assert shown(a_worker(devices=[{"name": "card"}])).devices[0].meters == ()


def test_a_queue_that_nobody_serves_is_called_out() -> None:
    view = workers_view([a_worker()], {}, {"jobs.cpu": (3, 1), "jobs.gpu": (1000, 2)}, NOW)
    cpu, gpu = view.queues
    assert (cpu.title, cpu.waiting, cpu.own, cpu.workers, cpu.alone) == ("cpu", "3", 1, 1, False)
    assert (gpu.waiting, gpu.workers, gpu.alone) == ("1,000 or more", 0, True)


def test_a_worker_that_was_lost_serves_no_queue() -> None:
    lost = a_worker(seen_at=NOW - timedelta(minutes=5))
    view = workers_view([lost], {}, {"jobs": (1, 0)}, NOW)
    assert (view.there, view.queues[0].workers) == (0, 0)


def test_one_that_checks_data_sets_takes_no_jobs() -> None:
    assert shown(a_worker(queues=["datasets"])).does == "checks of data sets and models"
