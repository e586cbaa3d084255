"""Models: a detector's weights, uploaded or taken from a job. `begin` -> stream -> `uploaded` -> checked -> ready.

As with data sets, a stream that breaks calls `abandon`, and a crash in between leaves a row in `uploading`, which the
steward expires. What a job does with models stands in `job_models.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from store import audit, check_leases, garbage, ids, outbox
from store.errors import ModelInUse, ModelNotReady, NotFound, NoWeights
from store.jobs import get as get_job
from store.pages import Page, page
from store.states import TERMINAL, ModelState
from store.tables import Artifact, Checkpoint, Job, JobModel, Model
from store.tables.base import Json

Role = Literal["teacher", "student"]

RE_REGISTER = "Register the model again."
STUDENT_FILE = "exports/student.safetensors"


@dataclass(frozen=True)
class Architecture:
    """What weights are of. Classes in order of the outputs; image_size: (width, height), anchor_shapes at that size."""

    detector: str
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    anchor_shapes: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Weights:
    """An object that holds them; its size in bytes and sha256."""

    object_key: str
    size: int
    sha256: str


def architecture_of(row: Model) -> Architecture:
    """What the row declares."""
    width, height = row.image_size
    shapes = tuple((float(w), float(h)) for w, h in row.anchor_shapes)
    return Architecture(row.detector, tuple(row.classes), (width, height), shapes)


def begin(
    session: Session,
    project_id: str,
    name: str,
    declared: Architecture,
    *,
    job_id: str | None = None,
    role: Role | None = None,
) -> Model:
    """Make the row of an upload, or of a copy from a job, that starts now; its weights belong at `object_key`."""
    identity = ids.new("mdl")
    row = Model(
        id=identity,
        project_id=project_id,
        name=name,
        state="uploading",
        detector=declared.detector,
        classes=list(declared.classes),
        image_size=list(declared.image_size),
        anchor_shapes=[list(shape) for shape in declared.anchor_shapes],
        job_id=job_id,
        role=role,
        object_key=f"models/{identity}/weights.safetensors",
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def uploaded(session: Session, project_id: str, model_id: str, *, size: int, sha256: str) -> Model:
    """The weights are complete in the object store: queue their check. Raises NotFound, ModelNotReady."""
    row = _locked(session, project_id, model_id)
    if row.state != "uploading":
        raise ModelNotReady(f"model '{model_id}' is {row.state}, not uploading")
    row.size, row.sha256, row.state = size, sha256, "checking"
    session.flush()
    outbox.add(session, "model", row.id)
    audit.record(session, project_id, "model.create", row.id, name=row.name)
    return row


def abandon(session: Session, project_id: str, model_id: str) -> None:
    """Forget an upload that broke off. Raises NotFound."""
    row = _locked(session, project_id, model_id)
    if row.state == "uploading":
        _discard(session, row)


def job_architecture(session: Session, project_id: str, job_id: str, role: Role) -> tuple[Job, Architecture]:
    """A job and what its teacher or student is. Raises NotFound; NoWeights before the job has read its data."""
    job = get_job(session, project_id, job_id)
    if job.kind != "distillation":
        raise NoWeights(f"job '{job_id}' only measured: it has no {role}", hint="Its model is registered already.")
    if job.resolved is None or "classes" not in job.resolved:
        hint = "Wait until its pre-flight is over." if job.state not in TERMINAL else "Choose a job that was trained."
        raise NoWeights(f"job '{job_id}' has not read its data: it has no {role}", hint=hint)
    spec: Mapping[str, Any] = job.resolved["spec"]
    own = spec[role].get("image_size") if role == "teacher" else None
    width, height = own or spec["schedule"]["image_size"]
    shapes = tuple((float(w), float(h)) for w, h in job.resolved["anchor_shapes"][role])
    return job, Architecture(spec[role]["detector"], tuple(job.resolved["classes"]), (width, height), shapes)


def student_weights(session: Session, project_id: str, job_id: str) -> Weights:
    """The exported student of a job. Raises NotFound, NoWeights."""
    job = get_job(session, project_id, job_id)
    row = session.scalar(
        select(Artifact)
        .where(Artifact.job_id == job_id, Artifact.path == STUDENT_FILE)
        .order_by(Artifact.attempt.desc())
        .limit(1)
    )
    if row is None:
        hint = "Wait for its export." if job.state not in TERMINAL else "Clone it with 'safetensors' among its exports."
        raise NoWeights(f"job '{job_id}' has no exported student in safetensors", hint=hint)
    return Weights(row.object_key, row.size, row.sha256)


def from_teacher(session: Session, project_id: str, name: str, job_id: str) -> Model:
    """Register a job's teacher: its check takes the weights out of the finished training's checkpoint.

    Raises NotFound, NoWeights while the teacher is not trained.
    """
    _, declared = job_architecture(session, project_id, job_id, "teacher")
    final = session.scalar(
        select(Checkpoint)
        .where(
            Checkpoint.job_id == job_id,
            Checkpoint.stage == "teacher",
            Checkpoint.final,
            Checkpoint.damaged_at.is_(None),
            Checkpoint.path.endswith("/final.pt"),
        )
        .order_by(Checkpoint.id.desc())
        .limit(1)
    )
    if final is None:
        raise NoWeights(f"the teacher of job '{job_id}' is not trained", hint="Wait for the end of its stage.")
    row = begin(session, project_id, name, declared, job_id=job_id, role="teacher")
    row.checkpoint_id, row.state = final.id, "checking"
    session.flush()
    outbox.add(session, "model", row.id)
    audit.record(session, project_id, "model.create", row.id, name=row.name, job=job_id)
    return row


def get(session: Session, project_id: str, model_id: str) -> Model:
    """One model that is not deleted. Raises NotFound."""
    row = session.scalar(_in_project(project_id, model_id))
    if row is None:
        raise NotFound(f"there is no model '{model_id}'")
    return row


def list_page(
    session: Session,
    project_id: str,
    *,
    states: Sequence[ModelState] = (),
    cursor: str | None = None,
    limit: int = 20,
) -> Page[Model]:
    """Models that are not deleted, newest first. Raises BadCursor."""
    query = select(Model).where(Model.project_id == project_id, Model.deleted_at.is_(None))
    if states:
        query = query.where(Model.state.in_(states))
    return page(session, query, Model, cursor=cursor, limit=limit)


def delete(session: Session, project_id: str, model_id: str) -> None:
    """Delete a model and collect its weights. Raises NotFound; ModelInUse while jobs with it are still to run."""
    row = _locked(session, project_id, model_id)
    using = session.scalars(
        select(JobModel.job_id)
        .join(Job, Job.id == JobModel.job_id)
        .where(JobModel.model_id == row.id, Job.state.not_in(TERMINAL))
        .distinct()
        .limit(3)
    ).all()
    if using:
        named = ", ".join(sorted(using))
        raise ModelInUse(f"model '{model_id}' is used by {named}", hint="Wait for its jobs, or cancel them.")
    row.deleted_at = func.clock_timestamp()
    garbage.add(session, [row.object_key])
    session.flush()
    audit.record(session, project_id, "model.delete", row.id, name=row.name)


def checkpoint_of(session: Session, row: Model) -> Checkpoint | None:
    """Where the check of a job's teacher takes the weights from. None: its job was deleted meanwhile."""
    return None if row.checkpoint_id is None else session.get(Checkpoint, row.checkpoint_id)


def resize_of(session: Session, row: Model) -> Literal["stretch", "fit"]:
    """How the job that trained a model brought images to its input; where no job did, nobody reads the answer."""
    job = None if row.job_id is None else session.get(Job, row.job_id)
    resolved = job.resolved if job is not None else None
    return "fit" if resolved is not None and resolved["spec"]["schedule"].get("resize") == "fit" else "stretch"


def claim_check(session: Session, model_id: str, lease: timedelta) -> Model | None:
    """Take the check of a model, for one lease. None: it is done, taken or gone, which is no error."""
    return check_leases.claim(session, Model, model_id, lease, RE_REGISTER)


def finish_check(
    session: Session,
    model_id: str,
    token: str,
    *,
    report: Json | None,
    error: Json | None = None,
    written: Weights | None = None,
) -> Model:
    """Write the outcome of a check, and what it wrote at `object_key` if it did. Raises LeaseLost."""
    row = check_leases.finish(session, Model, model_id, token, report, error)
    if written is not None:
        row.size, row.sha256 = written.size, written.sha256
    session.flush()
    return row


def expire_uploads(session: Session, older_than: timedelta) -> int:
    """Delete rows of uploads that never completed; returns how many."""
    rows = session.scalars(
        select(Model)
        .where(Model.state == "uploading", Model.created_at <= func.clock_timestamp() - older_than)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _discard(session, row)
    return len(rows)


def _discard(session: Session, row: Model) -> None:
    garbage.add(session, [row.object_key])
    session.delete(row)
    session.flush()


def _in_project(project_id: str, model_id: str) -> Select[Model]:
    return select(Model).where(Model.id == model_id, Model.project_id == project_id, Model.deleted_at.is_(None))


def _locked(session: Session, project_id: str, model_id: str) -> Model:
    query = _in_project(project_id, model_id).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(f"there is no model '{model_id}'")
    return row
