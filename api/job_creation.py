"""What a request to make a job goes through, whichever call it came by: its queue, its key, its refusals by field."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Header, Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.orm import Session

from api import merge_patch
from api.problems import FieldError, Problem
from fgfi_core.spec import JobSpec
from fgfi_core.spec.evaluation import EvaluationSpec
from store import jobs
from store.errors import DatasetNotReady, ModelMismatch, NoSuchSplit, NotFound
from store.idempotency import Idempotency
from store.jobs import Created
from store.queues import ANY, BUILT_IN, Placing, Priority, queue_of
from store.settings import Settings

Made = TypeVar("Made")
REFUSED = (
    "dataset_not_found",
    "dataset_not_ready",
    "model_not_ready",
    "too_many_jobs",
    "device_hours_spent",
    "idempotency_in_flight",
    "idempotency_mismatch",
    "no_such_device_class",
    "no_such_split",
    "model_mismatch",
    "file_without_model",
)
"""The codes with which a job is refused, besides wrong fields; for `responses`."""
KeyHeader = Annotated[str | None, Header(min_length=1, max_length=200)]
DeviceClass = Annotated[
    str | None, Query(description="Which workers: any, cpu, gpu or a named class; default: by `resources.device`.")
]


def queue_for(spec: JobSpec | EvaluationSpec, device_class: str | None, settings: Settings) -> str:
    """The queue of the class asked for, else of the spec's device. Raises Problem for a class nobody configured."""
    if device_class is None:
        of_device = {"cpu": "cpu", "cuda": "gpu", "auto": settings.auto_class}
        return queue_of(of_device[spec.resources.device])
    known = (ANY, *BUILT_IN, *settings.device_classes)
    if device_class not in known:
        message = f"there is no class of devices '{device_class}'"
        field = FieldError(path="device_class", message=message, hint=f"Known: {', '.join(known)}.")
        raise Problem(422, "no_such_device_class", f"T{message[1:]}.", hint=field.hint, errors=(field,))
    return queue_of(device_class)


def asked(request: Any, priority: Priority, device_class: str | None) -> Any:
    """What a request asks, for its idempotency key."""
    usual = priority == "normal" and device_class is None
    return request if usual else {"body": request, "priority": priority, "device_class": device_class}


def changed(spec: dict[str, Any], changes: dict[str, Any]) -> JobSpec:
    """A spec with a merge patch applied. Raises RequestValidationError."""
    body = merge_patch.apply(spec, changes)
    try:
        return JobSpec.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False), body=body) from error


def once_of(key: str | None, request: Any, settings: Settings) -> Idempotency | None:
    """The caller's key for this request, where there is one."""
    return Idempotency(key, request, timedelta(hours=settings.idempotency_hours)) if key else None


def create(session: Session, project_id: str, spec: JobSpec, once: Idempotency | None, placing: Placing) -> Created:
    """Make a job. Raises Problem or RequestValidationError, by the spec's field."""
    return checked(spec, lambda: jobs.create(session, project_id, spec, once, placing))


def checked(spec: JobSpec, make: Callable[[], Made]) -> Made:
    """What `make` makes of a spec; what it refuses is told by the spec's field."""
    _refuse_files(spec)
    try:
        return by_field(make)
    except ValidationError as error:  # Of a spec whose models' detectors are known by now.
        raise RequestValidationError(error.errors(include_url=False), body=spec.model_dump(mode="json")) from error


def by_field(make: Callable[[], Made]) -> Made:
    """What `make` makes; data sets and models that it refuses are told by the spec's field."""
    try:
        return make()
    except (NoSuchSplit, ModelMismatch) as error:
        field = FieldError(path=error.field, message=error.message, hint=error.hint)
        raise Problem(422, error.code, f"{error.message}.", hint=error.hint, errors=(field,)) from error
    except (NotFound, DatasetNotReady) as error:
        status, code = (404, "dataset_not_found") if isinstance(error, NotFound) else (409, error.code)
        detail = f"{error.message[:1].upper()}{error.message[1:]}."
        hint = error.hint or "It may have been deleted; GET /v1/datasets lists what there is."
        field = FieldError(path="dataset.id", message=error.message, hint=hint)
        raise Problem(status, code, detail, hint=hint, errors=(field,)) from error


def _refuse_files(spec: JobSpec) -> None:
    """A file of weights is on somebody's disk, where no worker could find it: here it has to be a registered model."""
    errors = tuple(
        FieldError(
            path=f"{side}.init",
            message="the service knows no file, only registered models",
            hint=f"Register the file by `fgfi models add FILE`, and set {side}.model to its id in place of init.",
        )
        for side, part in (("teacher", spec.teacher), ("student", spec.student))
        if part.init == "file" and part.model is None
    )
    if errors:
        named = " and ".join(error.path for error in errors)
        raise Problem(422, "file_without_model", f"{named}: {errors[0].message}.", hint=errors[0].hint, errors=errors)
