"""Jobs as users see them: create, read, list, cancel, pause, resume, delete. Every query is within one project.

What a worker does to a job stands in `attempts.py`. All writers lock the job's row first, then the attempt's.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fgfi_core.spec import JobSpec
from store import events, ids, outbox
from store.datasets import for_new_job
from store.errors import IdempotencyInFlight, IdempotencyMismatch, NotFound, WrongState
from store.garbage import add_of_job
from store.pages import Page, page
from store.states import Action, JobState, after_action, is_terminal
from store.tables import Attempt, IdempotencyKey, Job

_DONE: dict[Action, str] = {"cancel": "cancelled", "pause": "paused", "resume": "resumed"}
_WHEN: dict[Action, str] = {
    "cancel": "It is over already; nothing is left to stop.",
    "pause": "Only a job that is queued or running can be.",
    "resume": "Only a paused job can be; to run a job again, submit its spec again.",
}
_GONE = "It may have been deleted, or belong to another project."


@dataclass(frozen=True)
class Created:
    """The job a request made; `replayed` when an earlier request with the same idempotency key had made it."""

    job: Job
    replayed: bool


@dataclass(frozen=True)
class Idempotency:
    """The caller's key, what the request asks (any JSON), and how long the key is remembered."""

    key: str
    request: Any
    remember: timedelta = timedelta(hours=24)


def create(session: Session, project_id: str, spec: JobSpec, idempotency: Idempotency | None = None) -> Created:
    """Make a job: idempotency row, job, first event and outbox row in the caller's one transaction.

    Raises NotFound, DatasetNotReady or NoSuchSplit for the data set, IdempotencyMismatch, IdempotencyInFlight.
    """
    if idempotency is not None:
        earlier = _replay(session, project_id, idempotency)
        if earlier is not None:
            return Created(earlier, replayed=True)
    dataset = for_new_job(session, project_id, spec.dataset)
    job = Job(
        id=ids.new("job"),
        project_id=project_id,
        dataset_id=dataset.id,
        name=spec.name,
        spec=spec.model_dump(mode="json"),
        meta=spec.metadata,
        state="queued",
        last_sequence=0,
        current_attempt=0,
    )
    session.add(job)
    session.flush()
    first = events.NewEvent("state", {"from": None, "to": "queued", "message": "The job was accepted."})
    events.append(session, job, [first])
    outbox.add(session, "job", job.id)
    if idempotency is not None:
        _remember(session, project_id, idempotency, job.id)
    session.refresh(job)
    return Created(job, replayed=False)


def get(session: Session, project_id: str, job_id: str) -> Job:
    """One job. Raises NotFound."""
    job = session.scalar(select(Job).where(Job.id == job_id, Job.project_id == project_id))
    if job is None:
        raise NotFound(f"there is no job '{job_id}'", hint=_GONE)
    return job


def list_page(
    session: Session,
    project_id: str,
    *,
    states: Sequence[JobState] = (),
    dataset_id: str | None = None,
    text: str | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> Page[Job]:
    """Jobs, newest first. `text` is looked for in the name and the id. Raises BadCursor."""
    query = select(Job).where(Job.project_id == project_id)
    if states:
        query = query.where(Job.state.in_(states))
    if dataset_id is not None:
        query = query.where(Job.dataset_id == dataset_id)
    if text:
        query = query.where(or_(Job.name.icontains(text, autoescape=True), Job.id == text))
    return page(session, query, Job, cursor=cursor, limit=limit)


def count_by_state(session: Session, project_id: str) -> dict[str, int]:
    """How many jobs are in each state that occurs."""
    query = select(Job.state, func.count().label("jobs")).where(Job.project_id == project_id).group_by(Job.state)
    return {row.state: row.jobs for row in session.execute(query)}


def attempts_of(session: Session, project_id: str, job_id: str) -> Sequence[Attempt]:
    """The job's attempts, first to last. Raises NotFound."""
    get(session, project_id, job_id)
    return session.scalars(select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.number)).all()


def cancel(session: Session, project_id: str, job_id: str) -> Job:
    """End a job: at once when nobody works on it, else `cancelling` until its worker has stopped. Repeating is fine.

    Raises NotFound; WrongState when the job succeeded or failed.
    """
    job, state = _act(session, project_id, job_id, "cancel")
    if state != job.state:
        job.cancel_requested_at = func.clock_timestamp()
        if state == "cancelled":
            job.finished_at = func.clock_timestamp()
        events.move(session, job, state, "Cancelled by the user.")
        session.refresh(job)
    return job


def pause(session: Session, project_id: str, job_id: str) -> Job:
    """Let a job rest: at once when it waits, else after its worker wrote a checkpoint. Raises NotFound, WrongState."""
    job, state = _act(session, project_id, job_id, "pause")
    if state != job.state:
        job.pause_requested_at = func.clock_timestamp()
        events.move(session, job, state, "Paused by the user.")
        session.refresh(job)
    return job


def resume(session: Session, project_id: str, job_id: str) -> Job:
    """Queue a paused job again; it goes on from its newest checkpoint. Raises NotFound, WrongState."""
    job, state = _act(session, project_id, job_id, "resume")
    job.pause_requested_at = None
    job.available_at = func.clock_timestamp()
    events.move(session, job, state, "Resumed by the user.")
    outbox.add(session, "job", job.id)
    session.refresh(job)
    return job


def delete(session: Session, project_id: str, job_id: str) -> None:
    """Delete a finished job with all it published. Raises NotFound; WrongState while it may still run."""
    job = _locked(session, project_id, job_id)
    if not is_terminal(job.state):
        raise WrongState(f"the job is {job.state}", state=job.state, hint="Cancel it first.")
    add_of_job(session, job.id)
    session.delete(job)
    session.flush()


def _act(session: Session, project_id: str, job_id: str, action: Action) -> tuple[Job, JobState]:
    job = _locked(session, project_id, job_id)
    state = after_action(action, job.state)
    if state is None:
        raise WrongState(f"a job that is {job.state} cannot be {_DONE[action]}", state=job.state, hint=_WHEN[action])
    return job, state


def _locked(session: Session, project_id: str, job_id: str) -> Job:
    query = select(Job).where(Job.id == job_id, Job.project_id == project_id)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    job = session.scalar(query)
    if job is None:
        raise NotFound(f"there is no job '{job_id}'", hint=_GONE)
    return job


def _replay(session: Session, project_id: str, idempotency: Idempotency) -> Job | None:
    """The job this key made before. Holds the key until the transaction ends, so that a twin cannot pass."""
    name = f"idempotency:{project_id}:{idempotency.key}"
    if not session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))):
        raise IdempotencyInFlight("a request with this Idempotency-Key is in progress", hint="Try again in a moment.")
    row = session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.project_id == project_id,
            IdempotencyKey.key == idempotency.key,
            IdempotencyKey.expires_at > func.clock_timestamp(),
        )
    )
    if row is None:
        return None
    if row.request_sha256 != _fingerprint(idempotency.request):
        raise IdempotencyMismatch(
            "this Idempotency-Key was used with another request", hint="Use a new key for a new request."
        )
    return get(session, project_id, row.job_id)


def _remember(session: Session, project_id: str, idempotency: Idempotency, job_id: str) -> None:
    values = {
        "request_sha256": _fingerprint(idempotency.request),
        "job_id": job_id,
        "expires_at": func.clock_timestamp() + idempotency.remember,
    }
    # Only an expired row of the same key can be in the way.
    session.execute(
        insert(IdempotencyKey)
        .values(project_id=project_id, key=idempotency.key, **values)
        .on_conflict_do_update(index_elements=["project_id", "key"], set_=values)
    )


def _fingerprint(request: Any) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
