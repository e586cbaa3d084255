"""/v1/jobs: create, list, read; cancel, pause, resume, retry, clone."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session

from api import dry_run as dry
from api import merge_patch, spec_body
from api.deps import Reader, SessionDep, SettingsDep, Submitter
from api.problems import FieldError, Problem, responses
from api.schemas.dry_run import DryRunOut
from api.schemas.jobs import JobOut, JobSummary
from api.schemas.page import PageOut
from api.spec_body import SpecDep
from fgfi_core.spec import JobSpec
from store import jobs, transitions
from store.errors import DatasetNotReady, ModelMismatch, NoSuchSplit, NotFound
from store.idempotency import Idempotency
from store.jobs import Created
from store.queues import ANY, BUILT_IN, Placing, Priority, priority_name, queue_of
from store.settings import Settings
from store.standings import best_accuracy
from store.states import JobState
from store.tables import Job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

Made = TypeVar("Made")
KeyHeader = Annotated[str | None, Header(min_length=1, max_length=200)]
ACTED = responses(401, 403, 404, 409)
DeviceClass = Annotated[
    str | None, Query(description="Which workers: any, cpu, gpu or a named class; default: by `resources.device`.")
]
Changes = Annotated[
    dict[str, Any] | None,
    Body(
        description="What the new job's spec has differently, as a JSON merge patch (RFC 7396): objects are merged, "
        "null takes a field back to its default.",
        examples=[{"name": "cells, longer", "schedule": {"epochs": 60}}],
    ),
]
DryRun = Annotated[bool, Query(description="Validate, resolve and estimate; make nothing.")]
DRY: dict[int | str, dict[str, Any]] = {200: {"model": DryRunOut, "description": "With `dry_run`: nothing was made"}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged"}}


@router.post(
    "",
    status_code=201,
    response_model=JobOut,
    responses=responses(401, 403, 404, 409, 413, 415, 422) | DRY,
    openapi_extra=spec_body.OPENAPI,
)
def create_job(
    principal: Submitter,  # First: a stranger learns nothing about specs.
    spec: SpecDep,
    session: SessionDep,
    settings: SettingsDep,
    response: Response,
    idempotency_key: KeyHeader = None,
    priority: Priority = "normal",
    device_class: DeviceClass = None,
    dry_run: DryRun = False,
) -> JobOut | JSONResponse:
    """Queue a job. With an `Idempotency-Key` a repeated request answers the job the first one made.

    With `dry_run` nothing is made: the answer (200) is the spec with its defaults, what `auto` becomes as far as that
    is known, where the job would wait and how long it takes. What is wrong with it is told as it would be.
    """
    placing = Placing(_queue(spec, device_class, settings), priority)
    if dry_run:
        prepared = _checked(spec, lambda: jobs.prepare(session, principal.project_id, spec))
        return JSONResponse(dry.tell(session, principal.project_id, prepared, placing).model_dump(mode="json"))
    once = _once(idempotency_key, _asked(spec.model_dump(mode="json"), priority, device_class), settings)
    return _created(session, _create(session, principal.project_id, spec, once, placing), response)


@router.get("", response_model=PageOut[JobSummary], responses=responses(401, 403, 422))
def list_jobs(
    principal: Reader,
    session: SessionDep,
    state: Annotated[list[JobState] | None, Query()] = None,
    dataset: Annotated[str | None, Query(description="Id of a data set.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the name, or an id.")] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageOut[JobSummary]:
    """Jobs, newest first."""
    page = jobs.list_page(
        session, principal.project_id, states=state or (), dataset_id=dataset, text=q, cursor=cursor, limit=limit
    )
    best = best_accuracy(session, [row.id for row in page.rows])
    return PageOut(
        data=[JobSummary.of(row, best.get(row.id, {})) for row in page.rows],
        has_more=page.has_more,
        next_cursor=page.next_cursor,
    )


@router.get("/{job_id}", response_model=JobOut, responses=responses(401, 403, 404) | UNCHANGED)
def get_job(job_id: str, principal: Reader, session: SessionDep, request: Request) -> Response:
    """One job in full. Send its `ETag` back as `If-None-Match` and get 304 while nothing has changed."""
    body = _whole(session, jobs.get(session, principal.project_id, job_id)).model_dump_json()
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSONResponse.media_type, headers=headers)


@router.post("/{job_id}/cancel", response_model=JobOut, responses=ACTED)
def cancel_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """End a job: at once when it waits, else once its worker has stopped. Cancelling twice is fine."""
    return _whole(session, jobs.cancel(session, principal.project_id, job_id))


@router.post("/{job_id}/pause", response_model=JobOut, responses=ACTED)
def pause_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """Let a job rest: at once when it waits, else once its run wrote a checkpoint. Its worker is free meanwhile."""
    return _whole(session, jobs.pause(session, principal.project_id, job_id))


@router.post("/{job_id}/resume", response_model=JobOut, responses=ACTED)
def resume_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """Queue a paused job; it goes on from its newest checkpoint."""
    return _whole(session, jobs.resume(session, principal.project_id, job_id))


@router.post("/{job_id}/retry", response_model=JobOut, responses=ACTED)
def retry_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """Queue a failed or cancelled job again with new budgets; it goes on from its newest checkpoint."""
    return _whole(session, jobs.retry(session, principal.project_id, job_id))


@router.post("/{job_id}/clone", status_code=201, response_model=JobOut, responses=responses(401, 403, 404, 409, 422))
def clone_job(
    job_id: str,
    principal: Submitter,
    session: SessionDep,
    settings: SettingsDep,
    response: Response,
    changes: Changes = None,
    idempotency_key: KeyHeader = None,
    priority: Priority | None = None,
    device_class: DeviceClass = None,
) -> JobOut:
    """Queue a new job with this one's spec, or with changes to it; where it waits is as it was, unless asked for."""
    original = jobs.get(session, principal.project_id, job_id)
    spec = _changed(original.spec, changes or {})
    same_device = spec.resources.device == original.spec["resources"]["device"] and device_class is None
    queue = original.queue if same_device else _queue(spec, device_class, settings)
    placing = Placing(queue, priority or priority_name(original.priority))
    asked = _asked({"clone": job_id, "changes": changes or {}}, placing.priority, device_class)
    once = _once(idempotency_key, asked, settings)
    return _created(session, _create(session, principal.project_id, spec, once, placing), response)


def _queue(spec: JobSpec, device_class: str | None, settings: Settings) -> str:
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


def _asked(request: Any, priority: Priority, device_class: str | None) -> Any:
    """What a request asks, for its idempotency key."""
    usual = priority == "normal" and device_class is None
    return request if usual else {"body": request, "priority": priority, "device_class": device_class}


def _changed(spec: dict[str, Any], changes: dict[str, Any]) -> JobSpec:
    body = merge_patch.apply(spec, changes)
    try:
        return JobSpec.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False), body=body) from error


def _once(key: str | None, request: Any, settings: Settings) -> Idempotency | None:
    return Idempotency(key, request, timedelta(hours=settings.idempotency_hours)) if key else None


def _created(session: Session, created: Created, response: Response) -> JobOut:
    response.headers["location"] = f"/v1/jobs/{created.job.id}"
    if created.replayed:
        response.headers["idempotency-replayed"] = "true"
    return _whole(session, created.job)


def _create(session: Session, project_id: str, spec: JobSpec, once: Idempotency | None, placing: Placing) -> Created:
    return _checked(spec, lambda: jobs.create(session, project_id, spec, once, placing))


def _checked(spec: JobSpec, make: Callable[[], Made]) -> Made:
    """What `make` makes of a spec; what it refuses is told by the spec's field."""
    _refuse_files(spec)
    try:
        return make()
    except (NoSuchSplit, ModelMismatch) as error:
        field = FieldError(path=error.field, message=error.message, hint=error.hint)
        raise Problem(422, error.code, f"{error.message}.", hint=error.hint, errors=(field,)) from error
    except ValidationError as error:  # Of a spec whose models' detectors are known by now.
        raise RequestValidationError(error.errors(include_url=False), body=spec.model_dump(mode="json")) from error
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


def _whole(session: Session, job: Job) -> JobOut:
    best = best_accuracy(session, [job.id]).get(job.id, {})
    attempts = jobs.attempts_of(session, job.project_id, job.id)
    return JobOut.whole(job, best, attempts, transitions.of_job(session, job.project_id, job.id))
