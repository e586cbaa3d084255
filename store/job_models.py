"""The models that a job begins with: looked up and checked when it is made, found again when it runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fgfi_core.spec import JobSpec
from store.errors import ModelMismatch, ModelNotReady
from store.tables import Dataset, JobModel, Model

SIDES = ("teacher", "student")
LIST = "`fgfi models list`, or GET /v1/models, names what there is."


def with_models(session: Session, project_id: str, spec: JobSpec, dataset: Dataset) -> JobSpec:
    """The spec with the detectors of its models filled in; the rows stay held, so that none is deleted meanwhile.

    Raises ModelMismatch; pydantic's ValidationError when the pair does not fit.
    """
    chosen = {side: model_id for side in SIDES if (model_id := getattr(spec, side).model) is not None}
    if not chosen:
        return spec
    rows = {side: usable(session, project_id, f"{side}.model", model_id) for side, model_id in chosen.items()}
    fields: dict[str, Any] = spec.model_dump(mode="json")
    for side, row in rows.items():
        asked = fields[side]["detector"]
        if asked and asked != row.detector:
            raise ModelMismatch(
                f"{side}.detector is '{asked}', but model '{row.id}' is a '{row.detector}'",
                field=f"{side}.detector",
                hint=f"Leave {side}.detector out: the model says it.",
            )
        fields[side]["detector"] = row.detector
    if spec.teacher.epochs == 0 and "teacher" in rows:
        _same_classes(rows["teacher"], dataset)
    return JobSpec.model_validate(fields)


def for_evaluation(session: Session, project_id: str, model_id: str, dataset: Dataset) -> Model:
    """The model that an evaluation measures; its row stays held. Raises ModelMismatch.

    It may know more classes than the data has; what it finds of those is left out.
    """
    row = usable(session, project_id, "model", model_id)
    known: Sequence[str] = (dataset.report or {}).get("classes") or ()
    missing = sorted(set(known) - set(row.classes))
    if missing:
        raise ModelMismatch(
            f"model '{row.id}' knows the classes {_listed(row.classes)}, and data set '{dataset.name}' has "
            f"{_listed(missing)}, too",
            field="model",
            hint="Take a model of these classes.",
        )
    return row


def link_one(session: Session, job_id: str, model_id: str) -> None:
    """Note which model a new evaluation measures."""
    session.add(JobModel(job_id=job_id, side="model", model_id=model_id))
    session.flush()


def link(session: Session, job_id: str, spec: JobSpec) -> None:
    """Note which models a new job begins with."""
    for side in SIDES:
        model_id = getattr(spec, side).model
        if model_id is not None:
            session.add(JobModel(job_id=job_id, side=side, model_id=model_id))
    session.flush()


def of_job(session: Session, job_id: str) -> Mapping[str, Model]:
    """The models of a job by side, the deleted ones, too."""
    query = select(JobModel.side, Model).join(Model, Model.id == JobModel.model_id).where(JobModel.job_id == job_id)
    return {row.side: row.Model for row in session.execute(query)}


def require_all(session: Session, job_id: str) -> None:
    """Before a job is taken up again. Raises ModelNotReady when one of its models was deleted."""
    query = (
        select(Model)
        .join(JobModel, JobModel.model_id == Model.id)
        .where(JobModel.job_id == job_id)
        .order_by(Model.id)
        .with_for_update(read=True, key_share=True, of=Model)
    )
    gone = [row.id for row in session.scalars(query.execution_options(populate_existing=True)) if row.deleted_at]
    if gone:
        hint = "Register it again, and clone the job with the new id."
        raise ModelNotReady(f"model '{gone[0]}' was deleted", hint=hint)


def usable(session: Session, project_id: str, field: str, model_id: str) -> Model:
    """A model that a job can name in this field of its spec; its row stays held. Raises ModelMismatch."""
    row = session.scalar(
        select(Model)
        .where(Model.id == model_id, Model.project_id == project_id, Model.deleted_at.is_(None))
        .with_for_update(read=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise ModelMismatch(f"{field}: there is no model '{model_id}'", field=field, hint=LIST)
    if row.state != "ready":
        hint = "Its report says what is wrong." if row.state == "rejected" else "Wait for its check."
        raise ModelMismatch(f"{field}: model '{model_id}' is {row.state}, not ready", field=field, hint=hint)
    return row


def _same_classes(row: Model, dataset: Dataset) -> None:
    """A teacher taken as it is must know the data's classes; their order the pre-flight compares."""
    known: Sequence[str] | None = (dataset.report or {}).get("classes")
    if known is not None and set(known) != set(row.classes):
        raise ModelMismatch(
            f"teacher.epochs is 0, but model '{row.id}' knows the classes {_listed(row.classes)}, "
            f"and data set '{dataset.name}' has {_listed(sorted(known))}",
            field="teacher.model",
            hint="Take a model of these classes, or set teacher.epochs above 0 to train it on this data.",
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
