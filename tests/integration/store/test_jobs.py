from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from typing import get_args

import pytest
from sqlalchemy import func, select, update

from fgfi_core.spec import JobSpec
from store import attempts, checkpoints, datasets, events, jobs, leases, projects
from store.attempts import Budget, Trace
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.errors import DatasetNotReady, IdempotencyInFlight, IdempotencyMismatch, NotFound, WrongState
from store.idempotency import Idempotency
from store.leases import Claim
from store.states import JOB_STATES, TERMINAL, Action, JobState, after_action
from store.tables import Dataset, Garbage, IdempotencyKey, Job, JobEvent, Outbox

pytestmark = pytest.mark.integration

MakeJob = Callable[[], Job]
KEY = Idempotency("key-1", {"name": "cells"})


def rows(sessions: Sessions, table: type) -> int:
    with sessions.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def put_into(sessions: Sessions, job: Job, state: JobState) -> None:
    """Walk a queued job to a state by legal moves."""
    ways = {
        "queued": [],
        "running": ["running"],
        "cancelling": ["running", "cancelling"],
        "pausing": ["running", "pausing"],
        "paused": ["paused"],
        "succeeded": ["running", "succeeded"],
        "failed": ["running", "failed"],
        "cancelled": ["cancelled"],
    }
    for step in ways[state]:
        finished = func.clock_timestamp() if step in TERMINAL else None
        with sessions.begin() as session:
            values: dict[str, object] = {"state": step, "finished_at": finished, "result": {}, "error": {}}
            session.execute(update(Job).where(Job.id == job.id).values(values))


def test_creating_writes_job_event_message_and_key_together(
    sessions: Sessions, project_id: str, job_spec: JobSpec
) -> None:
    with sessions.begin() as session:
        made = jobs.create(session, project_id, job_spec, KEY)
    assert (made.job.state, made.replayed) == ("queued", False)
    assert [rows(sessions, table) for table in (Job, JobEvent, Outbox, IdempotencyKey)] == [1, 1, 1, 1]


def test_creating_writes_nothing_when_it_is_rolled_back(sessions: Sessions, project_id: str, job_spec: JobSpec) -> None:
    with sessions() as session:
        jobs.create(session, project_id, job_spec, KEY)
        session.rollback()
    assert [rows(sessions, table) for table in (Job, JobEvent, Outbox, IdempotencyKey)] == [0, 0, 0, 0]


def test_the_same_request_again_gives_the_same_job(sessions: Sessions, project_id: str, job_spec: JobSpec) -> None:
    with sessions.begin() as session:
        first = jobs.create(session, project_id, job_spec, KEY)
    with sessions.begin() as session:
        second = jobs.create(session, project_id, job_spec, KEY)
    assert (second.job.id, second.replayed) == (first.job.id, True)
    assert rows(sessions, Job) == 1


def test_another_request_with_the_same_key_is_refused(sessions: Sessions, project_id: str, job_spec: JobSpec) -> None:
    with sessions.begin() as session:
        jobs.create(session, project_id, job_spec, KEY)
    with pytest.raises(IdempotencyMismatch), sessions.begin() as session:
        jobs.create(session, project_id, job_spec, Idempotency("key-1", {"name": "other"}))


def test_a_twin_of_a_request_in_progress_is_refused(sessions: Sessions, project_id: str, job_spec: JobSpec) -> None:
    with sessions.begin() as session:
        jobs.create(session, project_id, job_spec, KEY)
        with pytest.raises(IdempotencyInFlight), sessions.begin() as twin:
            jobs.create(twin, project_id, job_spec, KEY)


def test_however_many_twins_come_at_once_one_job_is_made(
    sessions: Sessions, project_id: str, job_spec: JobSpec
) -> None:
    def post(_: int) -> str | None:
        try:
            with sessions.begin() as session:
                return jobs.create(session, project_id, job_spec, KEY).job.id
        except IdempotencyInFlight:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = {job_id for job_id in pool.map(post, range(32)) if job_id is not None}
    assert len(made) == 1
    assert rows(sessions, Job) == 1


def test_a_key_of_another_project_is_another_key(sessions: Sessions, project_id: str, job_spec: JobSpec) -> None:
    with sessions.begin() as session:
        jobs.create(session, project_id, job_spec, KEY)
        other = projects.ensure(session, "other")
        session.execute(update(Dataset).values(project_id=other.id))
    with sessions.begin() as session:
        assert not jobs.create(session, other.id, job_spec, KEY).replayed


def test_an_expired_key_may_be_used_again(sessions: Sessions, project_id: str, job_spec: JobSpec) -> None:
    with sessions.begin() as session:
        jobs.create(session, project_id, job_spec, Idempotency("key-1", {}, remember=timedelta(0)))
    with sessions.begin() as session:
        assert not jobs.create(session, project_id, job_spec, Idempotency("key-1", {"name": "other"})).replayed


@pytest.mark.parametrize("state", ["uploading", "checking", "rejected"])
def test_a_job_needs_a_data_set_that_is_ready(
    sessions: Sessions, project_id: str, job_spec: JobSpec, state: str
) -> None:
    with sessions.begin() as session:
        session.execute(update(Dataset).values(state=state))
    with pytest.raises(DatasetNotReady), sessions.begin() as session:
        jobs.create(session, project_id, job_spec)


def test_a_job_on_a_deleted_data_set_is_refused(
    sessions: Sessions, project_id: str, job_spec: JobSpec, dataset_id: str
) -> None:
    with sessions.begin() as session:
        datasets.delete(session, project_id, dataset_id)
    with pytest.raises(NotFound), sessions.begin() as session:
        jobs.create(session, project_id, job_spec)


@pytest.mark.parametrize(("state", "action"), list(product(JOB_STATES, get_args(Action))))
def test_every_action_in_every_state_does_what_the_table_says(
    sessions: Sessions, make_job: MakeJob, project_id: str, state: JobState, action: Action
) -> None:
    job = make_job()
    put_into(sessions, job, state)
    expected = after_action(action, state)

    if expected is None:
        with pytest.raises(WrongState) as refused, sessions.begin() as session:
            getattr(jobs, action)(session, project_id, job.id)
        assert refused.value.state == state
    else:
        with sessions.begin() as session:
            assert getattr(jobs, action)(session, project_id, job.id).state == expected


def test_repeating_an_action_writes_no_event(sessions: Sessions, make_job: MakeJob, project_id: str) -> None:
    job = make_job()
    for _ in range(2):
        with sessions.begin() as session:
            jobs.cancel(session, project_id, job.id)
    with sessions.begin() as session:
        assert [e.sequence for e in events.events_after(session, project_id, job.id)] == [1, 2]


def test_resuming_announces_the_job(sessions: Sessions, make_job: MakeJob, project_id: str) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.pause(session, project_id, job.id)
    with sessions.begin() as session:
        resumed = jobs.resume(session, project_id, job.id)
        assert (resumed.pause_requested_at, rows(sessions, Outbox)) == (None, 1)
    assert rows(sessions, Outbox) == 2
    with sessions.begin() as session:
        assert leases.claim(session, job.id, worker_id="w", lease=timedelta(seconds=75)) is not None


def test_a_retried_job_has_new_budgets_and_no_trace_of_its_end(
    sessions: Sessions, claim: Claim, project_id: str
) -> None:
    with sessions.begin() as session:
        attempts.lose(session, claim.lease, Budget(losses=0), Trace("the machine burned down"))
    with sessions.begin() as session:
        job = jobs.retry(session, project_id, claim.job.id)
        assert (job.state, job.error, job.finished_at) == ("queued", None, None)
        assert (job.losses, job.losses_without_checkpoint) == (0, 0)
    with sessions.begin() as session:
        again = leases.claim(session, claim.job.id, worker_id="w", lease=timedelta(seconds=75))
    assert again is not None
    assert again.lease.attempt == 2


def test_a_retried_job_goes_on_from_its_newest_checkpoint(sessions: Sessions, claim: Claim, project_id: str) -> None:
    new = NewCheckpoint("teacher", 0, 5, final=False, path="a.pt", object_key="k", size=1, sha256="s")
    with sessions.begin() as session:
        checkpoints.publish(session, claim.lease, new)
        attempts.fail(session, claim.lease, {"code": "c", "message": "m", "hint": ""}, Trace("m"))
    with sessions.begin() as session:
        jobs.retry(session, project_id, claim.job.id)
        (stage,) = checkpoints.to_resume(session, claim.job.id)
    assert [row.step for row in stage.steps] == [5]


def test_a_retried_cancellation_can_be_claimed_and_cancelled_again(
    sessions: Sessions, make_job: MakeJob, project_id: str
) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
        jobs.retry(session, project_id, job.id)
    with sessions.begin() as session:
        assert leases.claim(session, job.id, worker_id="w", lease=timedelta(seconds=75)) is not None
    with sessions.begin() as session:
        assert jobs.cancel(session, project_id, job.id).state == "cancelling"


def test_a_job_whose_data_set_is_gone_is_not_retried(
    sessions: Sessions, make_job: MakeJob, project_id: str, dataset_id: str
) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
        datasets.delete(session, project_id, dataset_id)
    with pytest.raises(DatasetNotReady), sessions.begin() as session:
        jobs.retry(session, project_id, job.id)


def test_pages_hold_every_job_once_newest_first(sessions: Sessions, make_job: MakeJob, project_id: str) -> None:
    made = [make_job().id for _ in range(5)]
    found: list[str] = []
    cursor = None
    for _ in range(3):
        with sessions.begin() as session:
            page = jobs.list_page(session, project_id, cursor=cursor, limit=2)
        found += [job.id for job in page.rows]
        cursor = page.next_cursor
    assert found == made[::-1]
    assert cursor is None


def test_a_job_made_meanwhile_does_not_shift_the_next_page(
    sessions: Sessions, make_job: MakeJob, project_id: str
) -> None:
    first, second, third = (make_job().id for _ in range(3))
    with sessions.begin() as session:
        page = jobs.list_page(session, project_id, limit=1)
    make_job()
    with sessions.begin() as session:
        rest = jobs.list_page(session, project_id, cursor=page.next_cursor, limit=10)
    assert [job.id for job in page.rows] == [third]
    assert [job.id for job in rest.rows] == [second, first]


def test_lists_are_filtered_by_state_and_text(sessions: Sessions, make_job: MakeJob, project_id: str) -> None:
    one, two = make_job(), make_job()
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.id == two.id).values(name="50%_off"))
        jobs.cancel(session, project_id, one.id)

    def names(**filters: object) -> list[str]:
        with sessions.begin() as session:
            return [job.name for job in jobs.list_page(session, project_id, **filters).rows]  # type: ignore[arg-type] # keywords of several types

    assert names(states=["cancelled"]) == ["cells"]
    assert names(text="CELL") == ["cells"]
    assert names(text="0%_o") == ["50%_off"]
    assert names(text=two.id) == ["50%_off"]
    assert names(text="0%o") == []


@pytest.mark.parametrize("action", ["get", *get_args(Action), "delete", "attempts_of"])
def test_another_projects_job_is_not_found(sessions: Sessions, make_job: MakeJob, action: str) -> None:
    job = make_job()
    with sessions.begin() as session:
        other = projects.ensure(session, "other")
    with pytest.raises(NotFound), sessions.begin() as session:
        getattr(jobs, action)(session, other.id, job.id)


def test_a_job_that_may_still_run_is_not_deleted(sessions: Sessions, make_job: MakeJob, project_id: str) -> None:
    job = make_job()
    with pytest.raises(WrongState), sessions.begin() as session:
        jobs.delete(session, project_id, job.id)


def test_deleting_a_job_leaves_only_its_objects_to_be_collected(
    sessions: Sessions, make_job: MakeJob, project_id: str
) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
        jobs.delete(session, project_id, job.id)
    assert [rows(sessions, table) for table in (Job, JobEvent)] == [0, 0]
    assert rows(sessions, Garbage) == 0


def test_sequences_have_no_gaps_however_many_write(sessions: Sessions, claim: Claim, project_id: str) -> None:
    def write(number: int) -> None:
        with sessions.begin() as session:
            job = leases.fence(session, claim.lease)
            events.append(session, job, [events.NewEvent("log", {"n": number}), events.NewEvent("log")])
            if number % 3 == 0:
                session.rollback()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    with sessions.begin() as session:
        found = [event.sequence for event in events.events_after(session, project_id, claim.job.id)]
    assert found == list(range(1, 2 + 16 * 2 + 1))
