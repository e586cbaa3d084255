"""Celery, Redis and the steward as real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis import Redis
from sqlalchemy import select

from fgfi_core.spec import JobSpec
from store import jobs, workers
from store.database import Sessions
from store.queues import Placing
from store.settings import Settings
from store.tables import Job, Outbox

pytestmark = pytest.mark.integration

Start = Callable[..., subprocess.Popen[bytes]]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(quick: Settings, migrated_url: str, redis_url: str) -> dict[str, str]:
    with Redis.from_url(redis_url) as client:
        client.flushall()
    return {
        **os.environ,
        "FGFI_DATABASE_URL": migrated_url,
        "FGFI_REDIS_URL": redis_url,
        "FGFI_STORAGE_URL": quick.storage_url,
        "FGFI_SECRET_KEY": quick.secret_key.get_secret_value(),
        "FGFI_WORKER_CACHE": str(quick.worker_cache),
        "FGFI_HEARTBEAT_SECONDS": "0.5",
        "FGFI_STEWARD_SECONDS": "0.1",
        "FGFI_REPUBLISH_SECONDS": "2",
        "FGFI_BACKOFF_SECONDS": "0",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts a part of the service as a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str, **more: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"{len(started)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", *arguments], env=environment | more, stdout=log, stderr=log, cwd=tmp_path
            )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
    for process in started:
        process.wait(timeout=30)
    for log in sorted(tmp_path.glob("*.log")):
        print(log.name, log.read_text(errors="replace"), sep="\n")


def steward(start: Start) -> subprocess.Popen[bytes]:
    return start("worker.steward")


def worker(start: Start, *arguments: str) -> subprocess.Popen[bytes]:
    return start("celery", "--app=worker.app", "worker", "--concurrency=1", "--loglevel=INFO", *arguments)


def test_a_job_goes_through_steward_queue_and_worker(start: Start, make_job: Callable[[], Job], look: Any) -> None:
    """The real runner refuses the data (there are no images in it), which ends the job as the user's to mend."""
    job = make_job()
    steward(start)
    worker(start)

    look.until(lambda: look.job(job.id).finished_at is not None, 90)
    assert look.job(job.id).error["code"] == "bad_data"
    assert look.moves(job.id) == ["queued", "running", "failed"]


def test_messages_lost_with_redis_are_sent_again(
    start: Start, make_job: Callable[[], Job], look: Any, redis_url: str
) -> None:
    steward(start)
    made = [make_job().id for _ in range(3)]
    with Redis.from_url(redis_url) as client:
        look.until(lambda: client.llen("jobs") == 3)
        client.flushall()
        look.until(lambda: client.llen("jobs") >= 3)
    assert {look.job(job_id).state for job_id in made} == {"queued"}


def test_without_a_broker_messages_stay_and_the_steward_goes_on(
    start: Start, make_job: Callable[[], Job], look: Any, sessions: Sessions, tmp_path: Path
) -> None:
    job = make_job()
    start("worker.steward", FGFI_REDIS_URL="redis://127.0.0.1:1/0")
    log = tmp_path / "0.log"
    look.until(lambda: log.read_text().count("the broker is away") >= 2)
    with sessions.begin() as session:
        assert session.scalars(select(Outbox.published_at).where(Outbox.subject_id == job.id)).all() == [None]


def test_a_second_steward_takes_over(start: Start, make_job: Callable[[], Job], look: Any) -> None:
    first = steward(start)
    job = make_job()
    look.until(lambda: look.job(job.id).published_at is not None)
    steward(start)
    first.kill()
    first.wait()

    job = make_job()
    look.until(lambda: look.job(job.id).published_at is not None)


def test_a_worker_shows_itself_and_says_goodbye(start: Start, sessions: Sessions, look: Any) -> None:
    def seen() -> list[list[str]]:
        with sessions.begin() as session:
            return [row.queues for row in workers.list_live(session)]

    process = worker(start, "--queues=datasets")
    look.until(lambda: seen() == [["datasets"]])
    process.terminate()
    assert process.wait(timeout=30) == 0
    assert seen() == []


@pytest.fixture
def scripted_worker(start: Start, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts a worker whose children play a scene, as nothing but a test has a reason to."""

    def run(scene: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        command = f"(sys.executable, {str(Path(__file__).with_name('scripted_child.py'))!r}, {scene!r})"
        (tmp_path / "scripted_worker.py").write_text(
            "import sys, worker.app, worker.turn\n"
            f"worker.turn.take_turn.__kwdefaults__['command'] = {command}\n"
            f"worker.app.app.worker_main(['worker', '--loglevel=INFO', *{arguments!r}])\n"
        )
        path = f"{ROOT}{os.pathsep}{tmp_path}"
        return start("scripted_worker", PYTHONPATH=path, **{"FGFI_LEASE_SECONDS": "3", **more})

    return run


def test_a_terminated_worker_hands_its_job_on(
    start: Start, scripted_worker: Callable[..., subprocess.Popen[bytes]], make_job: Callable[[], Job], look: Any
) -> None:
    job = make_job()
    steward(start)
    process = scripted_worker("until_asked")
    look.until(lambda: look.job(job.id).stage == "teacher", 60)

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=40) == 0

    assert (look.job(job.id).state, look.job(job.id).losses) == ("queued", 0)
    assert look.attempt(job.id).outcome == "stopped"


def test_a_killed_workers_child_dies_with_it_and_another_worker_takes_the_job(
    start: Start, scripted_worker: Callable[..., subprocess.Popen[bytes]], make_job: Callable[[], Job], look: Any
) -> None:
    job = make_job()
    steward(start)
    process = scripted_worker("deaf")
    look.until(lambda: look.job(job.id).stage == "teacher", 60)
    (child,) = psutil.Process(process.pid).children()

    process.kill()
    process.wait()

    look.until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    look.until(lambda: look.job(job.id).losses == 1)
    scripted_worker("success")
    look.until(lambda: look.job(job.id).state == "succeeded", 60)
    assert look.moves(job.id) == ["queued", "running", "queued", "running", "succeeded"]


def test_cancelling_what_waits_needs_no_worker(
    make_job: Callable[[], Job], sessions: Sessions, project_id: str
) -> None:
    job = make_job()
    with sessions.begin() as session:
        assert jobs.cancel(session, project_id, job.id).state == "cancelled"
        assert session.scalar(select(Job.finished_at).where(Job.id == job.id)) is not None


def test_two_workers_on_one_machine_share_the_jobs_of_their_class(
    start: Start,
    scripted_worker: Callable[..., subprocess.Popen[bytes]],
    sessions: Sessions,
    project_id: str,
    job_spec: JobSpec,
    look: Any,
) -> None:
    with sessions.begin() as session:
        made = [jobs.create(session, project_id, job_spec, placing=Placing("jobs.cpu")).job.id for _ in range(4)]
        foreign = jobs.create(session, project_id, job_spec, placing=Placing("jobs.gpu", "high")).job.id
    steward(start)
    for name in ("one", "two"):
        scripted_worker("success", "--queues=jobs", f"--hostname={name}@%h", FGFI_WORKER_CLASSES="cpu")

    look.until(lambda: {look.job(job_id).state for job_id in made} == {"succeeded"}, 120)
    assert [look.job(job_id).current_attempt for job_id in made] == [1, 1, 1, 1]
    assert (look.job(foreign).state, look.job(foreign).current_attempt) == ("queued", 0)
    with sessions.begin() as session:
        rows = workers.list_live(session)
    assert [(row.queues, row.classes) for row in rows] == [(["jobs", "jobs.cpu"], ["cpu"])] * 2
