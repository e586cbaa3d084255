"""What becomes of a job when its child ends in each of the ways there are, and what the child can see."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest

from fgfi_core.spec import JobSpec
from store import jobs
from store.database import Sessions
from store.tables import Job
from worker.workplace import Workplace

pytestmark = pytest.mark.integration

Attempting = Callable[[str, str], bool]
MakeJob = Callable[[], Job]


@pytest.mark.parametrize(
    ("code", "state", "losses", "reason"),
    [
        (0, "queued", 1, "died"),  # It ended well, but without a result.
        (1, "queued", 1, "died"),
        (10, "queued", 1, "died"),  # Nobody had asked.
        (11, "queued", 1, "died"),
        (20, "failed", 0, "bad_spec"),
        (21, "failed", 0, "bad_data"),
        (22, "failed", 0, "out_of_memory"),
        (23, "failed", 0, "diverged"),
        (30, "queued", 0, "preempt"),
        (99, "queued", 1, "died"),
    ],
)
def test_every_exit_code_has_its_end(
    attempt: Attempting, make_job: MakeJob, look: Any, code: int, state: str, losses: int, reason: str
) -> None:
    job = make_job()
    attempt(job.id, f"leave:{code}")
    assert (look.job(job.id).state, look.job(job.id).losses) == (state, losses)
    assert (look.attempt(job.id).exit_code, look.attempt(job.id).reason) == (code, reason)


def test_a_silent_run_is_ended_as_a_loss_and_its_stack_kept(
    attempt: Attempting, make_job: MakeJob, look: Any, place: Workplace
) -> None:
    place.settings = place.settings.model_copy(update={"hung_seconds": 4.0})
    job = make_job()
    attempt(job.id, "hang")
    ended = look.attempt(job.id)
    assert (look.job(job.id).state, look.job(job.id).losses) == ("queued", 1)
    assert (ended.outcome, ended.reason, "silent" in ended.message) == ("lost", "hung", True)
    assert "in wait_for_ever" in ended.log_tail


def test_a_crash_of_the_interpreter_leaves_its_stack(attempt: Attempting, make_job: MakeJob, look: Any) -> None:
    job = make_job()
    attempt(job.id, "fault")
    assert "Fatal Python error: Segmentation fault" in look.attempt(job.id).log_tail
    assert "in fault" in look.attempt(job.id).log_tail


def test_a_flood_of_junk_neither_stops_the_run_nor_fills_the_memory(
    attempt: Attempting, make_job: MakeJob, look: Any
) -> None:
    job = make_job()
    before = psutil.Process().memory_info().rss
    attempt(job.id, "flood")
    assert look.job(job.id).state == "succeeded"
    assert psutil.Process().memory_info().rss - before < 80 * 2**20
    assert len(look.attempt(job.id).log_tail) <= 32 * 2**10


def test_the_child_has_only_its_pipes_and_no_credentials(
    attempt: Attempting, make_job: MakeJob, look: Any, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FGFI_DATABASE_URL", "FGFI_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, "hunter2")
    job = make_job()
    with place.sessions() as session:  # A connection of ours is open meanwhile, besides the attempt's own.
        session.connection()
        attempt(job.id, "surroundings")
    seen = look.job(job.id).result
    pipes = [link for link in seen["descriptors"] if link.startswith("pipe:")]
    others = {link for link in seen["descriptors"] if not link.startswith("pipe:")}
    assert others <= {"/dev/null"}
    assert len(set(pipes)) == 3  # Its output, its events, and our requests.
    assert "hunter2" not in "".join(seen["environ"])
    assert seen["group"]


def test_a_run_whose_processes_take_too_much_together_ends_with_the_reason_and_the_worker_goes_on(
    attempt: Attempting, make_job: MakeJob, look: Any, place: Workplace
) -> None:
    place.settings = place.settings.model_copy(update={"worker_memory_bytes": 200 * 2**20})
    greedy, modest = make_job(), make_job()

    attempt(greedy.id, "swell:150")
    attempt(modest.id, "success")

    error = look.job(greedy.id).error
    assert (look.job(greedy.id).state, error["code"]) == ("failed", "out_of_memory")
    assert "0.2 GiB of memory" in error["message"]
    assert look.attempt(greedy.id).reason == "out_of_memory"
    assert look.job(modest.id).state == "succeeded"


def test_a_run_too_large_for_the_memory_is_tried_once_more_with_half(
    attempt: Attempting, make_job: MakeJob, look: Any
) -> None:
    job = make_job()
    attempt(job.id, "too_large:32")
    assert (look.job(job.id).state, look.job(job.id).losses, look.job(job.id).micro_batch) == ("queued", 0, 16)
    assert (look.attempt(job.id).reason, look.attempt(job.id).micro_batch) == ("out_of_memory", None)
    attempt(job.id, "too_large:32")
    assert look.job(job.id).result == {"images": 16}
    assert look.attempt(job.id, 2).micro_batch == 16


def test_a_run_that_is_still_too_large_fails_until_its_user_retries_it(
    attempt: Attempting, make_job: MakeJob, look: Any, sessions: Sessions, project_id: str
) -> None:
    job = make_job()
    attempt(job.id, "too_large:10")
    attempt(job.id, "too_large:10")
    assert (look.job(job.id).state, look.job(job.id).error["code"]) == ("failed", "out_of_memory")
    with sessions.begin() as session:
        jobs.retry(session, project_id, job.id)
    attempt(job.id, "too_large:10")
    attempt(job.id, "too_large:10")
    assert look.job(job.id).result == {"images": 8}


def test_a_batch_size_the_user_set_is_not_made_smaller(
    attempt: Attempting, look: Any, sessions: Sessions, project_id: str, job_spec: JobSpec
) -> None:
    schedule = job_spec.schedule.model_copy(update={"batch_size": 32})
    with sessions.begin() as session:
        job = jobs.create(session, project_id, job_spec.model_copy(update={"schedule": schedule})).job
    attempt(job.id, "too_large:10")
    assert look.job(job.id).state == "failed"
