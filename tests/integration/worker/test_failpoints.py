"""What becomes of a job when its worker, its steward or a heartbeat dies, fails or hangs at the worst moments."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from store import artifacts, checkpoints, failpoints, reaper
from store.attempts import Budget
from store.database import Sessions
from store.errors import LeaseLost
from store.failpoints import NAMES, Name, armed
from store.objects import ObjectStore, StorageAway
from store.settings import Settings, get_settings
from store.tables import Attempt, Job, Outbox
from worker import app
from worker.steward import Steward

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
Attempting = Callable[[str, str], bool]
Beginning = Callable[[str, str], threading.Thread]
MakeJob = Callable[[], Job]
# Where a steward dies, not a worker; the sender of webhooks has its own test.
RELAYS: tuple[Name, ...] = ("before_publish", "published")
STEWARDS: tuple[Name, ...] = (*RELAYS, "webhook_sent")
ATTEMPTS = [name for name in NAMES if name not in STEWARDS]


class Died(BaseException):
    """Nothing of ours catches it: the thread ends where it stands."""


def die() -> None:
    raise Died


def times(count: int, action: Callable[[], None]) -> Callable[[], None]:
    """The action for the first so many times, then nothing."""
    left = [count]

    def do() -> None:
        left[0] -= 1
        if left[0] >= 0:
            action()

    return do


@pytest.fixture
def die_at(quick: Settings, migrated_url: str) -> Callable[[str, str, str], None]:
    """Makes an attempt in a process of its own, which dies at a failpoint."""
    environment = {
        **os.environ,
        "FGFI_DATABASE_URL": migrated_url,
        "FGFI_REDIS_URL": quick.redis_url,
        "FGFI_STORAGE_URL": quick.storage_url,
        "FGFI_SECRET_KEY": quick.secret_key.get_secret_value(),
        "FGFI_WORKER_CACHE": str(quick.worker_cache),
        "FGFI_HEARTBEAT_SECONDS": "0.1",
        "FGFI_LEASE_SECONDS": "75",
        "PYTHONPATH": str(HERE.parents[2]),
    }

    def run(job_id: str, scene: str, point: str) -> None:
        command = [sys.executable, "-P", str(HERE / "attempt_once.py"), job_id, scene, point]
        assert subprocess.run(command, env=environment, check=False, timeout=60).returncode == 137

    return run


def reap(sessions: Sessions, job_id: str) -> list[tuple[str, str]]:
    """Let the lease end without waiting for it, and a reaper come by."""
    with sessions.begin() as session:
        past = func.clock_timestamp() - timedelta(seconds=1)
        live = (Attempt.job_id == job_id, Attempt.ended_at.is_(None))
        session.execute(update(Attempt).where(*live).values(lease_expires_at=past))
    with sessions.begin() as session:
        return list(reaper.reap(session, Budget(backoff=0)))


@pytest.mark.parametrize("point", ATTEMPTS)
def test_wherever_a_worker_dies_the_job_is_done_once_and_whole(
    point: str,
    die_at: Callable[[str, str, str], None],
    attempt: Attempting,
    make_job: MakeJob,
    look: Any,
    sessions: Sessions,
    project_id: str,
    objects: ObjectStore,
) -> None:
    job = make_job()
    die_at(job.id, "success", point)

    if point == "finished":
        assert reap(sessions, job.id) == []
        assert not attempt(job.id, "success")
        assert look.moves(job.id) == ["queued", "running", "succeeded"]
    else:
        assert look.job(job.id).state == "running"
        assert reap(sessions, job.id) == [(job.id, "queued")]
        assert attempt(job.id, "success")
        assert look.moves(job.id) == ["queued", "running", "queued", "running", "succeeded"]
    with sessions.begin() as session:
        published = [*checkpoints.list_all(session, project_id, job.id)]
        files = artifacts.list_newest(session, project_id, job.id)
    assert [(row.step, row.final) for row in published] == [(2, True)]
    assert [b"".join(objects.get(row.object_key)) for row in published] == [b"teacher 2"]
    assert [b"".join(objects.get(row.object_key)) for row in files] == [b"a small student"]


@pytest.mark.parametrize(("point", "kept"), [("mid_upload", 0), ("uploaded", 1)])
def test_an_upload_that_broke_leaves_at_most_an_object_without_a_row(
    point: str, kept: int, die_at: Callable[[str, str, str], None], make_job: MakeJob, look: Any, tmp_path: Path
) -> None:
    """The steward's sweep collects such an object; a half one is none at all."""
    job = make_job()
    die_at(job.id, "success", point)
    assert len([file for file in (tmp_path / "objects" / "jobs").rglob("*") if file.is_file()]) == kept
    assert look.events(job.id, "checkpoint") == []


def test_an_upload_that_fails_half_way_is_tried_again(attempt: Attempting, make_job: MakeJob, look: Any) -> None:
    def fail() -> None:
        raise StorageAway("no answer")

    job = make_job()
    with armed("mid_upload", times(2, fail)):
        attempt(job.id, "success")
    assert (look.job(job.id).state, look.job(job.id).losses) == ("succeeded", 0)


@pytest.mark.parametrize(("stored", "state", "losses"), [(0, "succeeded", 0), (2, "queued", 1)])
def test_a_run_that_is_done_lacks_only_what_it_delivers(
    attempt: Attempting,
    make_job: MakeJob,
    look: Any,
    monkeypatch: pytest.MonkeyPatch,
    stored: int,
    state: str,
    losses: int,
) -> None:
    """One upload fails for good. A checkpoint on the way is no loss, the result of a stage is one."""
    monkeypatch.setattr("worker.publisher.TRIES", 1)
    uploads: list[int] = []

    def fail_one() -> None:
        uploads.append(len(uploads))
        if uploads[-1] == stored:
            raise StorageAway("no answer")

    job = make_job()
    with armed("mid_upload", fail_one):
        attempt(job.id, "on_the_way")
    assert (len(uploads), look.job(job.id).state, look.job(job.id).losses) == (3, state, losses)
    assert look.attempt(job.id).reason == ("not_stored" if losses else None)


def test_a_heartbeat_that_hangs_costs_the_attempt_and_not_the_job(
    begin: Beginning, attempt: Attempting, make_job: MakeJob, look: Any, place: Any, sessions: Sessions
) -> None:
    """The watchdog needs no answer: it ends the child before the lease can have ended."""
    place.settings = place.settings.model_copy(update={"lease_seconds": 3.0})
    job, wake = make_job(), threading.Event()

    def hang() -> None:
        wake.wait(60)

    with armed("before_heartbeat", hang):
        thread = begin(job.id, "deaf")
        thread.join(timeout=30)
        wake.set()
    assert (thread.is_alive(), look.attempt(job.id).outcome) == (False, None)
    assert reap(sessions, job.id) == [(job.id, "queued")]
    assert attempt(job.id, "success")
    assert look.job(job.id).state == "succeeded"


def test_heartbeats_that_fail_for_a_while_are_made_up_for(
    attempt: Attempting, make_job: MakeJob, look: Any, place: Any
) -> None:
    place.settings = place.settings.model_copy(update={"heartbeat_seconds": 0.05})
    failed: list[bool] = []

    def fail() -> None:
        failed.append(True)
        raise OperationalError("SELECT 1", {}, Exception("no answer"))

    job = make_job()
    with armed("before_heartbeat", times(1, fail)):
        attempt(job.id, "success")
    assert (failed, look.job(job.id).state, look.job(job.id).losses) == ([True], "succeeded", 0)


def test_a_worker_that_sleeps_over_its_lease_before_it_finishes_finishes_nothing(
    begin: Beginning, attempt: Attempting, make_job: MakeJob, look: Any, sessions: Sessions
) -> None:
    job, arrived, wake = make_job(), threading.Event(), threading.Event()

    def sleep() -> None:
        arrived.set()
        wake.wait(60)

    with armed("before_finish", times(1, sleep)):
        zombie = begin(job.id, "success")
        assert arrived.wait(60)
        assert reap(sessions, job.id) == [(job.id, "queued")]
        assert attempt(job.id, "success")
        wake.set()
        zombie.join(timeout=60)
    assert look.moves(job.id) == ["queued", "running", "queued", "running", "succeeded"]
    assert [look.attempt(job.id, number).outcome for number in (1, 2)] == ["lost", "succeeded"]


def test_a_worker_that_gave_its_lease_up_finishes_nothing_although_the_database_would_let_it(
    attempt: Attempting, make_job: MakeJob, look: Any, place: Any, sessions: Sessions, project_id: str
) -> None:
    """The watchdog gives up before the lease can end. A database that is back in between would take a half result."""
    place.settings = place.settings.model_copy(update={"lease_seconds": 3.0})
    job, wake, uploads = make_job(), threading.Event(), list[str]()

    def hang() -> None:
        wake.wait(60)

    def wait_until_given_up() -> None:
        uploads.append("another")
        if len(uploads) == 2:
            with sessions.begin() as session:
                later = func.clock_timestamp() + timedelta(minutes=1)
                session.execute(update(Attempt).where(Attempt.job_id == job.id).values(lease_expires_at=later))
            look.until(lambda: all(thread.name != "lease watchdog" for thread in threading.enumerate()))
            raise LeaseLost("the database was away")

    with armed("before_heartbeat", hang), armed("uploaded", wait_until_given_up):
        attempt(job.id, "success")
        wake.set()
    assert (len(uploads), look.job(job.id).state) == (2, "running")
    assert reap(sessions, job.id) == [(job.id, "queued")]
    place.settings = place.settings.model_copy(update={"lease_seconds": 75.0})
    assert attempt(job.id, "success")
    with sessions.begin() as session:
        assert [row.name for row in artifacts.list_newest(session, project_id, job.id)] == ["student"]


@pytest.fixture
def broker(redis_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """An empty Redis that Celery publishes to."""
    for name, value in (
        ("DATABASE_URL", settings.psycopg_url),
        ("REDIS_URL", redis_url),
        ("STORAGE_URL", settings.storage_url),
        ("SECRET_KEY", settings.secret_key.get_secret_value()),
    ):
        monkeypatch.setenv(f"FGFI_{name}", value)
    get_settings.cache_clear()
    app.app.conf.broker_url = redis_url
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client
    app.app.close()
    get_settings.cache_clear()


@pytest.mark.parametrize(("point", "messages"), [("before_publish", 1), ("published", 2)])
def test_a_steward_that_dies_while_it_relays_loses_no_message(
    point: Name,
    messages: int,
    settings: Settings,
    sessions: Sessions,
    objects: ObjectStore,
    broker: Redis,
    make_job: MakeJob,
    attempt: Attempting,
    look: Any,
) -> None:
    """A message that was sent and not marked is sent twice, which harms nothing."""
    job = make_job()
    with armed(point, die), pytest.raises(Died):
        Steward(settings, sessions, objects).relay()

    Steward(settings, sessions, objects).relay()

    assert broker.llen("jobs") == messages
    with sessions.begin() as session:
        assert session.scalars(select(Outbox.published_at.is_(None))).all() == [False]
    for _ in range(messages):
        attempt(job.id, "success")
    assert look.moves(job.id) == ["queued", "running", "succeeded"]


def test_two_stewards_at_the_same_message_send_it_once(
    settings: Settings, sessions: Sessions, objects: ObjectStore, broker: Redis, make_job: MakeJob
) -> None:
    make_job()
    arrived, wake = threading.Event(), threading.Event()

    def sleep() -> None:
        arrived.set()
        wake.wait(30)

    with armed("published", times(1, sleep)):
        slow = threading.Thread(target=Steward(settings, sessions, objects).relay)
        slow.start()
        assert arrived.wait(30)
        Steward(settings, sessions, objects).relay()
        wake.set()
        slow.join(30)
    assert broker.llen("jobs") == 1


def test_nothing_is_armed_where_nobody_arms_it() -> None:
    assert failpoints._armed == {}
    for name in NAMES:
        failpoints.reach(name)
