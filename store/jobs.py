"""Jobs as users see them: create, read, list, delete, and the actions on them. Every query is within one project.

What a worker does to a job stands in `attempts.py`. All writers lock the job's row first, then the attempt's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, literal_column, or_, select
from sqlalchemy.orm import Session

from fgfi_core.spec import JobSpec
from store import audit, events, idempotency, ids, job_models, limits, outbox, webhook_events, workers
from store.datasets import for_new_job
from store.errors import DatasetNotReady, NotFound, WrongState
from store.garbage import add_of_job
from store.idempotency import Idempotency
from store.name_search import named_like
from store.pages import Page, merged, page
from store.queues import JOBS, PRIORITIES, Placing, class_of
from store.states import JOB_STATES, Action, JobKind, JobState, after_action, is_terminal
from store.tables import Attempt, Dataset, Job, JobCount
from store.tables.base import Json
from store.tables.jobs import METHOD, STUDENT, TEACHER

_DONE: dict[Action, str] = {"cancel": "cancelled", "pause": "paused", "resume": "resumed", "retry": "retried"}
_WHEN: dict[Action, str] = {
    "cancel": "It is over already; nothing is left to stop.",
    "pause": "Only a job that is queued or running can be.",
    "resume": "Only a paused job can be; a failed or cancelled one can be retried.",
    "retry": "Only a failed or cancelled job can be; to run the same work anew, clone it.",
}
ANYWHERE = Placing()
_GONE = "It may have been deleted, or belong to another project."


@dataclass(frozen=True)
class Created:
    """The job a request made; `replayed` when an earlier request with the same idempotency key had made it."""

    job: Job
    replayed: bool


@dataclass(frozen=True)
class Prepared:
    """A spec that can become a job: its models' detectors are filled in, and its data set is at hand."""

    spec: JobSpec
    dataset: Dataset


@dataclass(frozen=True)
class NewJob:
    """A job to be written: its spec as JSON is complete, and fits its data set."""

    name: str
    spec: Json
    dataset_id: str
    kind: JobKind = "distillation"


def prepare(session: Session, project_id: str, spec: JobSpec) -> Prepared:
    """Hold a spec against the data set and the models it names; writes nothing.

    Raises NotFound, DatasetNotReady or NoSuchSplit for the data set, ModelMismatch or pydantic's ValidationError for
    the models (see `job_models.py`).
    """
    dataset = for_new_job(session, project_id, spec.dataset)
    return Prepared(job_models.with_models(session, project_id, spec, dataset), dataset)


def create(
    session: Session, project_id: str, spec: JobSpec, once: Idempotency | None = None, placing: Placing = ANYWHERE
) -> Created:
    """Make a job: idempotency row, job, first event and outbox row in the caller's one transaction.

    Raises what `prepare` raises, TooManyJobs or DeviceHoursSpent for the project's limits, IdempotencyMismatch,
    IdempotencyInFlight.
    """
    if once is not None:
        earlier = idempotency.find(session, project_id, once)
        if earlier is not None:
            return Created(get(session, project_id, earlier), replayed=True)
    limits.require_job(session, project_id)
    prepared = prepare(session, project_id, spec)
    spec = prepared.spec
    job = enqueue(session, project_id, NewJob(spec.name, spec.model_dump(mode="json"), prepared.dataset.id), placing)
    job_models.link(session, job.id, spec)
    if once is not None:
        idempotency.remember(session, project_id, once, job.id)
    return Created(job, replayed=False)


def enqueue(session: Session, project_id: str, new: NewJob, placing: Placing) -> Job:
    """Write a job that was checked: its row, first event, outbox row and audit entry."""
    job = Job(
        id=ids.new("job"),
        project_id=project_id,
        dataset_id=new.dataset_id,
        name=new.name,
        kind=new.kind,
        spec=new.spec,
        meta=new.spec["metadata"],
        state="queued",
        queue=placing.queue,
        priority=PRIORITIES[placing.priority],
        group_id=placing.group_id,
        arm=placing.arm,
        last_sequence=0,
        current_attempt=0,
    )
    session.add(job)
    session.flush()
    message = "The job was accepted."
    if placing.queue != JOBS and not workers.any_serves(session, placing.queue):
        message += f" It waits for a worker of class {class_of(placing.queue)}; none is there now."
    first = events.NewEvent("state", {"from": None, "to": "queued", "message": message})
    events.append(session, job, [first])
    webhook_events.job_created(session, job)
    outbox.add(session, "job", job.id)
    audit.record(session, project_id, "job.create", job.id, name=job.name)
    session.refresh(job)
    return job


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
    kind: JobKind | None = "distillation",
    states: Sequence[JobState] = (),
    dataset_id: str | None = None,
    group_id: str | None = None,
    detector: str | None = None,
    method: str | None = None,
    metadata: Sequence[tuple[str, Sequence[str | float | bool]]] = (),
    text: str | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> Page[Job]:
    """Jobs of a kind (None: of any), newest first. `text` is looked for in the name and the id. Raises BadCursor.

    detector: the teacher's or the student's. metadata: keys, each with values of which one must be there.
    """
    query = select(Job).where(Job.project_id == project_id)
    if kind is not None:
        query = query.where(Job.kind == kind)
    if dataset_id is not None:
        query = query.where(Job.dataset_id == dataset_id)
    if group_id is not None:
        query = query.where(Job.group_id == group_id)
    if text:
        query = query.where(or_(named_like(session, project_id, text), Job.id == text))
    if method is not None:
        query = query.where(literal_column(METHOD) == method)
    for key, values in metadata:
        query = query.where(or_(*(Job.meta.contains({key: value}) for value in values)))
    if detector is not None:
        # Two lists without a job in common, each with an index of its own.
        query = query.where(Job.state.in_(states)) if states else query
        sides = [literal_column(TEACHER) == detector, literal_column(STUDENT) == detector]
        either = [query.where(sides[0]), query.where(sides[1], literal_column(TEACHER) != detector)]
        return merged(session, either, Job, cursor=cursor, limit=limit)
    listed = kind == "evaluation" or group_id is not None or method is not None or metadata
    if listed or (not states and dataset_id is None):
        query = query.where(Job.state.in_(states)) if states else query
        return page(session, query, Job, cursor=cursor, limit=limit)
    # The indexes hold the jobs of one state in order, not those of several.
    of_states = [query.where(Job.state == state) for state in dict.fromkeys(states or JOB_STATES)]
    return merged(session, of_states, Job, cursor=cursor, limit=limit)


def count_by_state(session: Session, project_id: str) -> dict[str, int]:
    """How many jobs are in each state that occurs."""
    jobs = func.sum(JobCount.jobs).label("jobs")
    query = select(JobCount.state, jobs).where(JobCount.project_id == project_id).group_by(JobCount.state)
    return {row.state: int(row.jobs) for row in session.execute(query.having(jobs > 0))}


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


def retry(session: Session, project_id: str, job_id: str) -> Job:
    """Queue a failed or cancelled job again, its budgets whole; it goes on from its newest checkpoint.

    Raises NotFound, WrongState; DatasetNotReady or ModelNotReady when what it needs was deleted meanwhile;
    TooManyJobs or DeviceHoursSpent for the project's limits.
    """
    if after_action("retry", get(session, project_id, job_id).state) is not None:
        limits.require_job(session, project_id)  # The project's row is locked before the job's, as for a new one.
    job, state = _act(session, project_id, job_id, "retry")
    if session.get_one(Dataset, job.dataset_id).deleted_at is not None:
        raise DatasetNotReady(
            f"data set '{job.dataset_id}' was deleted", hint="Add it again, and clone the job with the new id."
        )
    job_models.require_all(session, job.id)
    job.finished_at = job.cancel_requested_at = job.pause_requested_at = None
    job.error = None
    job.losses = job.losses_without_checkpoint = job.memory_retries = 0
    job.available_at = func.clock_timestamp()
    events.move(session, job, state, "Retried by the user.")
    outbox.add(session, "job", job.id)
    session.refresh(job)
    return job


def delete(session: Session, project_id: str, job_id: str) -> None:
    """Delete a finished job with all it published. Raises NotFound; WrongState while it may still run."""
    job = held(session, project_id, job_id)
    if not is_terminal(job.state):
        raise WrongState(f"the job is {job.state}", state=job.state, hint="Cancel it first.")
    add_of_job(session, job.id)
    session.delete(job)
    session.flush()
    audit.record(session, project_id, "job.delete", job.id, name=job.name)


def _act(session: Session, project_id: str, job_id: str, action: Action) -> tuple[Job, JobState]:
    job = held(session, project_id, job_id)
    state = after_action(action, job.state)
    if state is None:
        raise WrongState(f"a job that is {job.state} cannot be {_DONE[action]}", state=job.state, hint=_WHEN[action])
    if state != job.state:
        audit.record(session, project_id, f"job.{action}", job.id)
    return job, state


def held(session: Session, project_id: str, job_id: str) -> Job:
    """One job, its row held until the transaction ends. Raises NotFound."""
    query = select(Job).where(Job.id == job_id, Job.project_id == project_id)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    job = session.scalar(query)
    if job is None:
        raise NotFound(f"there is no job '{job_id}'", hint=_GONE)
    return job
