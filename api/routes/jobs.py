"""/v1/jobs: create, clone, list, read, delete."""

import json
import math
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api import dry_run as dry
from api import etag, spec_body
from api import job_creation as creation
from api.deps import Reader, SessionDep, SettingsDep, Submitter
from api.job_answers import whole
from api.job_creation import DeviceClass, KeyHeader
from api.problems import FieldError, Problem, responses
from api.schemas.dry_run import DryRunOut
from api.schemas.jobs import JobOut, JobSummary
from api.schemas.page import PageOut
from api.spec_body import SpecDep
from store import jobs
from store.jobs import Created
from store.queues import Placing, Priority, priority_name
from store.standings import best_accuracy
from store.states import JobState

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

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


@router.post(
    "",
    status_code=201,
    response_model=JobOut,
    responses=responses(401, 403, 404, 413, 415, 422, *creation.REFUSED) | DRY,
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
    placing = Placing(creation.queue_for(spec, device_class, settings), priority)
    if dry_run:
        prepared = creation.checked(spec, lambda: jobs.prepare(session, principal.project_id, spec))
        return JSONResponse(dry.tell(session, principal.project_id, prepared, placing).model_dump(mode="json"))
    once = creation.once_of(
        idempotency_key, creation.asked(spec.model_dump(mode="json"), priority, device_class), settings
    )
    return _created(session, creation.create(session, principal.project_id, spec, once, placing), response)


@router.get("", response_model=PageOut[JobSummary], responses=responses(401, 403, 422, "bad_cursor"))
def list_jobs(
    principal: Reader,
    session: SessionDep,
    state: Annotated[list[JobState] | None, Query()] = None,
    dataset: Annotated[str | None, Query(description="Id of a data set.")] = None,
    group: Annotated[str | None, Query(description="Id of a group.")] = None,
    detector: Annotated[str | None, Query(description="Of the teacher or the student.")] = None,
    method: Annotated[str | None, Query(description="Name of the distillation method.")] = None,
    metadata: Annotated[
        list[str] | None, Query(description="`key:value`; given again, all must hold.", examples=[["line:3"]])
    ] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the name, or an id.")] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageOut[JobSummary]:
    """Jobs, newest first."""
    page = jobs.list_page(
        session,
        principal.project_id,
        states=state or (),
        dataset_id=dataset,
        group_id=group,
        detector=detector,
        method=method,
        metadata=[_entry(text) for text in metadata or ()],
        text=q,
        cursor=cursor,
        limit=limit,
    )
    best = best_accuracy(session, [row.id for row in page.rows])
    return PageOut(
        data=[JobSummary.of(row, best.get(row.id, {})) for row in page.rows],
        has_more=page.has_more,
        next_cursor=page.next_cursor,
    )


@router.get("/{job_id}", response_model=JobOut, responses=responses(401, 403, 404) | etag.UNCHANGED)
def get_job(job_id: str, principal: Reader, session: SessionDep, request: Request) -> Response:
    """One job in full. Send its `ETag` back as `If-None-Match` and get 304 while nothing has changed."""
    return etag.answer(request, whole(session, jobs.get(session, principal.project_id, job_id)))


@router.delete("/{job_id}", status_code=204, responses=responses(401, 403, 404, "wrong_state"))
def delete_job(job_id: str, principal: Submitter, session: SessionDep) -> None:
    """Delete a job that is over, with its history, checkpoints and files. Models taken from it stay."""
    jobs.delete(session, principal.project_id, job_id)


@router.post(
    "/{job_id}/clone",
    status_code=201,
    response_model=JobOut,
    responses=responses(401, 403, 404, 413, 422, "wrong_kind", *creation.REFUSED),
)
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
    if original.kind != "distillation":
        hint = "POST its spec to /v1/evaluations again."
        raise Problem(409, "wrong_kind", f"Job '{job_id}' is an evaluation; only a distillation is cloned.", hint=hint)
    spec = creation.changed(original.spec, changes or {})
    same_device = spec.resources.device == original.spec["resources"]["device"] and device_class is None
    queue = original.queue if same_device else creation.queue_for(spec, device_class, settings)
    placing = Placing(queue, priority or priority_name(original.priority))
    asked = creation.asked({"clone": job_id, "changes": changes or {}}, placing.priority, device_class)
    once = creation.once_of(idempotency_key, asked, settings)
    return _created(session, creation.create(session, principal.project_id, spec, once, placing), response)


def _entry(text: str) -> tuple[str, Sequence[str | float | bool]]:
    """`line:3` as the key and every value that is written so: the text, and the number or truth value."""
    key, colon, value = text.partition(":")
    if not colon or not key:
        error = FieldError(
            path="metadata", message=f"'{text}' is not of the form key:value", hint="For instance line:3."
        )
        raise Problem(422, "invalid", f"metadata: {error.message}.", hint=error.hint, errors=(error,))
    try:
        meant = json.loads(value)
    except (ValueError, RecursionError):  # No JSON, or hardly meant as such.
        return key, (value,)
    finite = isinstance(meant, bool | int) or (isinstance(meant, float) and math.isfinite(meant))
    return key, (value, meant) if finite else (value,)


def _created(session: Session, created: Created, response: Response) -> JobOut:
    response.headers["location"] = f"/v1/jobs/{created.job.id}"
    if created.replayed:
        response.headers["idempotency-replayed"] = "true"
    return whole(session, created.job)
