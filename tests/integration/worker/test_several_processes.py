"""A real training in two processes under a real supervisor: one dies, all end, and the next attempt goes on."""

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from fgfi_core.spec import JobSpec
from store import datasets, jobs
from store.database import Sessions
from store.objects import ObjectStore
from store.tables import Job
from tests.fgfi_core.conftest import VocFolder
from worker.turn import take_turn
from worker.workplace import Workplace

pytestmark = pytest.mark.integration


@pytest.fixture
def dataset_id(sessions: Sessions, objects: ObjectStore, project_id: str, tmp_path: Path) -> str:
    """A ready data set of six images."""
    voc = VocFolder(tmp_path / "voc")
    for i in range(4):
        voc.add(f"train{i}", [("cell", (10 + i, 12, 60, 50))])
    for i in range(2):
        voc.add(f"val{i}", [("cell", (20, 12 + i, 70, 50))], split="val")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(voc.root.rglob("*.*")):
            archive.write(path, path.relative_to(voc.root))
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "cells")
        stored = objects.put(row.object_key, [packed.getvalue()])
        assert stored.sha256 == hashlib.sha256(packed.getvalue()).hexdigest()
        row.size, row.sha256, row.state = stored.size, stored.sha256, "ready"
        return row.id


@pytest.fixture
def job(sessions: Sessions, project_id: str, dataset_id: str) -> Job:
    detector = {"detector": "ssd-shufflenetv2-0.25x"}
    spec = JobSpec.model_validate(
        {
            "name": "two",
            "dataset": {"id": dataset_id, "train": "train", "val": "val"},
            "teacher": {**detector, "epochs": 12},
            "student": detector,
            "method": {"name": "none"},
            "schedule": {"epochs": 1, "batch_size": 2, "image_size": [64, 64], "checkpoint_steps": 1},
            "preflight": {"teacher_floor": 0.0, "estimate": False},
            "exports": ["safetensors"],
            "evaluation": ["voc"],
            "resources": {"device": "cpu", "threads": 1, "count": 2},
        }
    )
    with sessions.begin() as session:
        return jobs.create(session, project_id, spec).job


@pytest.fixture
def begun(place: Workplace, job: Job, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Thread]:
    """An attempt at the job, under way."""
    monkeypatch.setenv("FGFI_SECRET_KEY", "hunter2")
    thread = threading.Thread(target=take_turn, args=(place, job.id, lambda _: None))
    thread.start()
    yield thread
    thread.join(120)


def ranks() -> list[psutil.Process]:
    """The further processes of trainings that this one supervises."""
    own = psutil.Process().children(recursive=True)
    return [one for one in own if "fgfi_core.training.rank" in one.cmdline()]


@pytest.mark.timeout(600)
def test_a_process_that_dies_ends_the_attempt_with_all_the_others_and_the_next_one_goes_on(
    begun: threading.Thread, place: Workplace, job: Job, look: Any, until_dead: Callable[[list[psutil.Process]], None]
) -> None:
    look.until(lambda: look.job(job.id).stage == "teacher" and look.attempt(job.id).last_step, 240)
    (rank,) = ranks()
    parent = rank.parent()
    assert parent is not None
    assert os.getpgid(rank.pid) == os.getpgid(parent.pid) == parent.pid
    assert "hunter2" not in "".join(rank.environ().values())

    rank.kill()
    begun.join(120)
    until_dead([rank, parent])
    assert (look.job(job.id).state, look.attempt(job.id).reason) == ("queued", "died")
    assert ranks() == []

    take_turn(place, job.id, lambda _: None)
    assert look.job(job.id).state == "succeeded"
    assert look.attempt(job.id, 2).resumed_from is not None
    assert ranks() == []


@pytest.fixture
def until_dead() -> Callable[[list[psutil.Process]], None]:
    def wait(processes: list[psutil.Process]) -> None:
        _, alive = psutil.wait_procs(processes, timeout=30)
        assert alive == []

    return wait
