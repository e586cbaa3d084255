"""A worker's place on real servers, a small data set in the object store, and a child that plays scenes."""

import hashlib
import io
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from store import datasets
from store.database import Sessions
from store.objects import ObjectStore
from store.settings import Settings
from store.tables import Attempt, Job, JobEvent
from worker.turn import take_turn
from worker.workplace import Workplace, make_workplace

SCRIPT = Path(__file__).with_name("scripted_child.py")


@pytest.fixture
def dataset_id(sessions: Sessions, objects: ObjectStore, project_id: str) -> str:
    """A ready data set of one file, with its archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("classes.txt", "cell")
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "cells")
        stored = objects.put(row.object_key, [packed.getvalue()])
        row.size, row.sha256, row.state = stored.size, stored.sha256, "ready"
        assert stored.sha256 == hashlib.sha256(packed.getvalue()).hexdigest()
        return row.id


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Frequent heartbeats, no back-off, short graces."""
    return settings.model_copy(
        update={
            "heartbeat_seconds": 0.5,
            "backoff_seconds": 0.0,
            "cancel_grace_seconds": 2.0,
            "stop_grace_seconds": 20.0,
        }
    )


@pytest.fixture
def place(quick: Settings, sessions: Sessions) -> Workplace:
    return replace(make_workplace(quick), sessions=sessions)


@pytest.fixture
def attempt(place: Workplace) -> Callable[[str, str], bool]:
    """Makes one attempt at a job, its child playing a scene, to the end."""

    def run(job_id: str, scene: str) -> bool:
        return take_turn(place, job_id, lambda _: None, command=(sys.executable, str(SCRIPT), scene))

    return run


@pytest.fixture
def begin(place: Workplace) -> Iterator[Callable[[str, str], threading.Thread]]:
    """Begins an attempt and returns once its child has spoken."""
    threads: list[threading.Thread] = []

    def run(job_id: str, scene: str) -> threading.Thread:
        command = (sys.executable, str(SCRIPT), scene)
        thread = threading.Thread(target=take_turn, args=(place, job_id, lambda _: None), kwargs={"command": command})
        thread.start()
        threads.append(thread)
        return thread

    yield run
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


@pytest.fixture
def look(sessions: Sessions) -> "Look":
    return Look(sessions)


class Look:
    """Reads what became of things; waits for conditions with a deadline."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def job(self, job_id: str) -> Job:
        with self._sessions.begin() as session:
            return session.get_one(Job, job_id)

    def attempt(self, job_id: str, number: int = 1) -> Attempt:
        with self._sessions.begin() as session:
            return session.get_one(Attempt, (job_id, number))

    def events(self, job_id: str, kind: str) -> list[dict[str, Any]]:
        query = select(JobEvent.data).where(JobEvent.job_id == job_id, JobEvent.kind == kind)
        with self._sessions.begin() as session:
            return list(session.scalars(query.order_by(JobEvent.sequence)))

    def moves(self, job_id: str) -> list[str]:
        return [event["to"] for event in self.events(job_id, "state")]

    def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)
