import math
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select, update

from store import artifacts, checkpoints, datasets, jobs, metrics, reaper
from store.attempts import Budget
from store.database import Sessions
from store.objects import ObjectStore
from store.tables import Attempt, Checkpoint, Job
from worker.workplace import Workplace

pytestmark = pytest.mark.integration

Attempting = Callable[[str, str], bool]
Beginning = Callable[[str, str], threading.Thread]
MakeJob = Callable[[], Job]


def children() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children(recursive=True) if "scripted_child" in " ".join(child.cmdline())
    ]


def test_a_run_to_the_end_is_kept_whole(
    attempt: Attempting, make_job: MakeJob, look: Any, sessions: Sessions, project_id: str, objects: ObjectStore
) -> None:
    job = make_job()

    assert attempt(job.id, "success")

    done = look.job(job.id)
    assert (done.state, done.result, done.resolved, done.stage) == (
        "succeeded",
        {"name": "cells"},
        {"batch_size": 8, "device": "cuda: a card"},
        "report",
    )
    assert look.moves(job.id) == ["queued", "running", "succeeded"]
    assert [event["message"] for event in look.events(job.id, "log")] == ["a line for the reader"]
    assert look.attempt(job.id).outcome == "succeeded"
    with sessions.begin() as session:
        (loss,) = metrics.series(session, project_id, job.id)
        assert [point.value for point in loss.points[:2]] == [1.0, 0.5]
        assert math.isnan(loss.points[2].value)
        (student,) = artifacts.list_newest(session, project_id, job.id)
        assert student.facts == {"map50": 0.5, "latency_ms": None}
        assert b"".join(objects.get(student.object_key)) == b"a small student"
        (final,) = checkpoints.list_all(session, project_id, job.id)
        assert b"".join(objects.get(final.object_key)) == b"teacher 2"


def test_what_an_attempt_computed_on_is_kept_with_it(
    attempt: Attempting, make_job: MakeJob, look: Any, place: Workplace
) -> None:
    job = make_job()
    attempt(job.id, "success")
    assert look.attempt(job.id).device == place.device == "cuda: a card"


def test_the_step_an_attempt_reached_is_one_of_its_stage(attempt: Attempting, make_job: MakeJob, look: Any) -> None:
    job = make_job()
    attempt(job.id, "success")
    assert (look.attempt(job.id).last_stage, look.attempt(job.id).last_step) == ("report", 0)


def test_nothing_is_left_on_the_worker(attempt: Attempting, make_job: MakeJob, place: Workplace) -> None:
    attempt(make_job().id, "success")
    assert list(place.scratch.iterdir()) == []
    assert children() == []


def test_an_error_of_the_users_fails_the_job_with_its_own_words(
    attempt: Attempting, make_job: MakeJob, look: Any
) -> None:
    job = make_job()
    attempt(job.id, "bad_data")
    assert look.job(job.id).state == "failed"
    assert look.job(job.id).error == {"code": "bad_data", "message": "a.xml:3: no boxes", "hint": "Mend it."}


def test_a_crash_is_followed_by_an_attempt_that_goes_on_from_the_checkpoints(
    attempt: Attempting, make_job: MakeJob, look: Any
) -> None:
    job = make_job()
    attempt(job.id, "crash_once")
    assert (look.job(job.id).state, look.job(job.id).losses) == ("queued", 1)
    first = look.attempt(job.id, 1)
    assert (first.outcome, "SIGKILL" in first.message, first.log_tail) == ("lost", True, "about to crash\n")

    attempt(job.id, "crash_once")

    assert look.job(job.id).state == "succeeded"
    found = [event["message"] for event in look.events(job.id, "log") if event["code"] == "found"]
    assert found == ["checkpoints/baseline-0/step-000000006.pt checkpoints/teacher-0/final.pt"]
    resumed = look.attempt(job.id, 2).resumed_from
    assert [(one["stage"], one["step"]) for one in resumed] == [("baseline", 6), ("teacher", 9)]


def test_what_an_attempt_found_finished_is_not_stored_again(
    attempt: Attempting, make_job: MakeJob, sessions: Sessions, project_id: str, tmp_path: Path
) -> None:
    job = make_job()
    attempt(job.id, "crash_once")
    attempt(job.id, "crash_once")

    with sessions.begin() as session:
        finals = [row for row in checkpoints.list_all(session, project_id, job.id) if row.final]
    assert [row.attempt for row in finals] == [1]
    assert len(list((tmp_path / "objects" / "jobs" / job.id).rglob("final.pt"))) == 1


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    attempt: Attempting, make_job: MakeJob, look: Any, sessions: Sessions, objects: ObjectStore
) -> None:
    job = make_job()
    attempt(job.id, "crash_once")
    with sessions.begin() as session:
        newest = session.scalars(select(Checkpoint).where(Checkpoint.step == 6)).one()
        objects.put(newest.object_key, [b"garbage"])

    attempt(job.id, "crash_once")

    logged = {event["code"]: event["message"] for event in look.events(job.id, "log")}
    assert "checkpoint_damaged" in logged
    assert "checkpoints/baseline-0/step-000000003.pt" in logged["found"]


def test_a_job_that_always_crashes_is_poison(attempt: Attempting, make_job: MakeJob, look: Any) -> None:
    job = make_job()
    for _ in range(3):
        assert attempt(job.id, "crash")
    assert look.job(job.id).state == "failed"
    assert look.job(job.id).error["code"] == "poison"
    assert "RuntimeError: a fault of the code" in look.attempt(job.id, 3).log_tail


def test_a_job_that_is_taken_is_left_alone(attempt: Attempting, make_job: MakeJob, look: Any) -> None:
    job = make_job()
    attempt(job.id, "success")
    assert not attempt(job.id, "success")
    assert look.moves(job.id) == ["queued", "running", "succeeded"]


def test_cancelling_stops_the_run(
    begin: Beginning, make_job: MakeJob, look: Any, sessions: Sessions, project_id: str
) -> None:
    job = make_job()
    thread = begin(job.id, "until_asked")
    look.until(lambda: look.job(job.id).stage == "teacher")
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
    thread.join(timeout=60)

    assert look.moves(job.id) == ["queued", "running", "cancelling", "cancelled"]


def test_a_run_that_does_not_listen_is_killed_with_all_it_started(
    begin: Beginning, make_job: MakeJob, look: Any, sessions: Sessions, project_id: str
) -> None:
    job = make_job()
    thread = begin(job.id, "deaf")
    look.until(lambda: look.job(job.id).stage == "teacher")
    look.until(lambda: len(children()) == 2)
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
    thread.join(timeout=60)

    assert look.job(job.id).state == "cancelled"
    look.until(lambda: not children())


def test_a_paused_run_rests_at_its_checkpoint_and_goes_on_from_it(
    begin: Beginning, attempt: Attempting, make_job: MakeJob, look: Any, sessions: Sessions, project_id: str
) -> None:
    job = make_job()
    thread = begin(job.id, "until_asked")
    look.until(lambda: look.job(job.id).stage == "teacher")
    with sessions.begin() as session:
        jobs.pause(session, project_id, job.id)
    thread.join(timeout=60)
    assert look.job(job.id).state == "paused"

    with sessions.begin() as session:
        jobs.resume(session, project_id, job.id)
    attempt(job.id, "until_asked")

    assert look.job(job.id).result == {"name": "resumed"}
    assert look.moves(job.id) == ["queued", "running", "pausing", "paused", "queued", "running", "succeeded"]


def test_a_worker_that_shuts_down_hands_the_job_on_with_its_checkpoint(
    begin: Beginning, make_job: MakeJob, look: Any, place: Workplace
) -> None:
    job = make_job()
    thread = begin(job.id, "until_asked")
    look.until(lambda: look.job(job.id).stage == "teacher")

    place.stopping.request()
    thread.join(timeout=60)

    assert (look.job(job.id).state, look.job(job.id).losses) == ("queued", 0)
    assert [event["step"] for event in look.events(job.id, "checkpoint")] == [4]


def test_a_child_that_is_told_to_end_by_the_system_hands_the_job_on(
    begin: Beginning, make_job: MakeJob, look: Any
) -> None:
    job = make_job()
    thread = begin(job.id, "until_asked")
    look.until(lambda: look.job(job.id).stage == "teacher")

    (child,) = children()
    child.send_signal(signal.SIGTERM)
    thread.join(timeout=60)

    assert (look.job(job.id).state, look.job(job.id).losses) == ("queued", 0)


def test_a_lost_lease_kills_the_child_and_writes_nothing(
    begin: Beginning, make_job: MakeJob, look: Any, sessions: Sessions
) -> None:
    job = make_job()
    thread = begin(job.id, "deaf")
    look.until(lambda: look.job(job.id).stage == "teacher")
    with sessions.begin() as session:
        past = func.clock_timestamp() - timedelta(seconds=1)
        session.execute(update(Attempt).where(Attempt.job_id == job.id).values(lease_expires_at=past))
        reaper.reap(session, Budget(backoff=0))
    thread.join(timeout=60)

    look.until(lambda: not children())
    assert look.moves(job.id) == ["queued", "running", "queued"]
    assert look.attempt(job.id).outcome == "lost"


def test_a_database_that_stays_away_kills_the_child_before_the_lease_can_end(
    begin: Beginning, make_job: MakeJob, look: Any, place: Workplace, sessions: Sessions
) -> None:
    place.settings = place.settings.model_copy(update={"lease_seconds": 5.0})
    job = make_job()
    thread = begin(job.id, "deaf")
    look.until(lambda: look.job(job.id).stage == "teacher")
    (pid, *_) = [child.pid for child in children()]
    with sessions() as holder:
        # Whoever asks for the attempt's row now waits, as for a database behind a broken network.
        holder.execute(select(Attempt).where(Attempt.job_id == job.id).with_for_update())
        look.until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        now = holder.scalars(select(func.clock_timestamp())).one()
        assert now < holder.scalars(select(Attempt.lease_expires_at).where(Attempt.job_id == job.id)).one()
    thread.join(timeout=60)
    assert look.job(job.id).state == "running"


def test_the_child_sees_no_credentials(
    attempt: Attempting, make_job: MakeJob, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FGFI_DATABASE_URL", "FGFI_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, "hunter2")
    job = make_job()
    attempt(job.id, "environment")
    environment = look.job(job.id).result
    assert "hunter2" not in environment.values()
    assert int(environment["OMP_NUM_THREADS"]) >= 1


def test_a_deleted_data_set_fails_the_job_and_says_what_to_do(
    attempt: Attempting, make_job: MakeJob, look: Any, sessions: Sessions, project_id: str, dataset_id: str
) -> None:
    job = make_job()
    with sessions.begin() as session:
        datasets.delete(session, project_id, dataset_id)
    attempt(job.id, "success")
    assert look.job(job.id).state == "failed"
    assert look.job(job.id).error == {
        "code": "dataset_gone",
        "message": f"data set '{dataset_id}' was deleted",
        "hint": "Add the data set again and submit the job with the new id.",
    }


def test_an_archive_that_cannot_be_had_is_no_fault_of_the_users(
    attempt: Attempting, make_job: MakeJob, look: Any, objects: ObjectStore, dataset_id: str
) -> None:
    job = make_job()
    objects.delete(f"datasets/{dataset_id}/archive")
    attempt(job.id, "success")
    assert (look.job(job.id).state, look.job(job.id).losses) == ("queued", 1)


def test_a_worker_that_shuts_down_while_files_are_fetched_starts_no_child(
    attempt: Attempting, make_job: MakeJob, look: Any, place: Workplace
) -> None:
    job = make_job()
    place.stopping.request()
    attempt(job.id, "crash")
    assert (look.job(job.id).state, look.job(job.id).losses) == ("queued", 0)
    assert look.attempt(job.id).log_tail is None
