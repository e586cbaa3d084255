"""/v1/models: register weights from a file or from a job, list, read, download, delete."""

import json
from collections.abc import Iterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import model_upload
from api.archive_upload import from_any_thread
from api.deps import ObjectsDep, Reader, ServiceDep, SessionDep, Submitter
from api.file_answer import StoredFile, answer
from api.problems import FieldError, Problem, responses
from api.routes.artifacts import FILE_CONTENT, FILE_PARTIAL
from api.schemas.models import FromJob, ModelOut
from api.schemas.page import PageOut
from api.service import Service
from store import models, quota
from store.errors import ObjectDamaged
from store.models import Architecture
from store.states import ModelState
from store.tables import Model

router = APIRouter(prefix="/v1/models", tags=["models"])

MEDIA_TYPE = "application/octet-stream"
BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": FromJob.model_json_schema()},
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=ModelOut,
    responses=responses(
        401,
        403,
        404,
        410,
        413,
        422,
        507,
        "upload_broken",
        "quota_exceeded",
        "no_weights",
        "not_safetensors",
        "bad_model_file",
        "empty_upload",
    ),
    openapi_extra=BODIES,
)
async def register_model(
    request: Request,
    response: Response,
    principal: Submitter,
    service: ServiceDep,
    name: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Of a file: what people will call it.")
    ] = None,
    detector: Annotated[
        str | None, Query(max_length=100, description="Of the catalogue; what the weights are of.")
    ] = None,
    classes: Annotated[
        list[str] | None, Query(alias="class", description="One for each class, in the order of the outputs.")
    ] = None,
    image_size: Annotated[
        str | None, Query(max_length=20, description="WIDTHxHEIGHT in pixels; default: the detector's reference size.")
    ] = None,
    anchor: Annotated[
        list[str] | None,
        Query(description="WIDTHxHEIGHT in pixels at that size, one for each shape, of detectors that are fitted."),
    ] = None,
) -> ModelOut:
    """Register weights: a safetensors file as the raw body, or `{from_job, role}` as JSON.

    What this service exported says its detector, classes, size and anchors itself; of other files they are declared.
    Then a worker holds every tensor against the detector, and the state goes from `checking` to `ready` or `rejected`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        body = await model_upload.whole_body(request, service.settings.max_request_bytes)
        row = await run_in_threadpool(_from_job, service, principal.project_id, _read(body))
    else:
        chunks = aiter(request.stream())
        # The header tells what this is and how long it must be: before that, nothing is written.
        header, head = await model_upload.header_of(chunks)
        declared = model_upload.architecture(header, detector, classes or (), image_size, anchor or ())
        if name is None:
            field = FieldError(path="name", message="is required", hint="Add 'name'.")
            raise Problem(422, "invalid", "name: is required", errors=(field,))
        row = await run_in_threadpool(_begin, service, principal.project_id, name, declared)
        try:
            row = await run_in_threadpool(_receive, service, row, from_any_thread(head, chunks), header.size)
        except BaseException as error:
            # Also when the client goes away or the server stops: half a file is of no use to anybody.
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(_abandon, service, row)
            if isinstance(error, ClientDisconnect):
                raise Problem(400, "upload_broken", "The upload broke off; nothing was kept.") from error
            if isinstance(error, ObjectDamaged):
                detail = f"The file is not of the {header.size} bytes that its header announces; nothing was kept."
                raise Problem(
                    422, "bad_model_file", detail, hint="Send the whole file, and nothing after it."
                ) from error
            raise
    response.headers["location"] = f"/v1/models/{row.id}"
    return ModelOut.of(row)


@router.get("", response_model=PageOut[ModelOut], responses=responses(401, 403, 422, "bad_cursor"))
def list_models(
    principal: Reader,
    session: SessionDep,
    state: Annotated[list[ModelState] | None, Query()] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageOut[ModelOut]:
    """Models, newest first."""
    page = models.list_page(session, principal.project_id, states=state or (), cursor=cursor, limit=limit)
    return PageOut(data=[ModelOut.of(row) for row in page.rows], has_more=page.has_more, next_cursor=page.next_cursor)


@router.get("/{model_id}", response_model=ModelOut, responses=responses(401, 403, 404))
def get_model(model_id: str, principal: Reader, session: SessionDep) -> ModelOut:
    """One model with the report of its check: every tensor that is missing, unexpected or of another shape."""
    return ModelOut.of(models.get(session, principal.project_id, model_id))


@router.head("/{model_id}/content", include_in_schema=False)
@router.get(
    "/{model_id}/content",
    response_class=StreamingResponse,
    responses=responses(401, 403, 404, 410, 416, "model_not_ready") | FILE_CONTENT | FILE_PARTIAL,
)
def read_model(
    model_id: str, principal: Reader, service: ServiceDep, objects: ObjectsDep, request: Request
) -> Response:
    """The safetensors file as it was registered. Takes one `Range`; the ETag is its sha256."""
    with service.sessions.begin() as session:  # Over before the first byte goes out, however long the download takes.
        row = models.get(session, principal.project_id, model_id)
    if row.size is None or row.sha256 is None:
        hint = "Wait for its check." if row.state == "checking" else "Read its error."
        raise Problem(409, "model_not_ready", f"The model is {row.state}: it has no file yet.", hint=hint)
    file = StoredFile(row.object_key, f"{row.name}.safetensors", MEDIA_TYPE, row.size, row.sha256)
    return answer(objects, file, request)


@router.delete("/{model_id}", status_code=204, responses=responses(401, 403, 404, "model_in_use"))
def delete_model(model_id: str, principal: Submitter, session: SessionDep) -> None:
    """Delete a model; refused while a job that begins with it is still to run. Finished jobs keep their results."""
    models.delete(session, principal.project_id, model_id)


def _read(body: bytes) -> FromJob:
    try:
        return FromJob.model_validate_json(body)
    except ValidationError as error:
        try:
            given = json.loads(body)
        except (ValueError, RecursionError):
            given = None
        raise RequestValidationError(error.errors(include_url=False), body=given) from error


def _from_job(service: Service, project_id: str, asked: FromJob) -> Model:
    with service.sessions.begin() as session:
        job, declared = models.job_architecture(session, project_id, asked.from_job, asked.role)
        name = asked.name or f"{asked.role} of {job.name}"[:200]
        if asked.role == "teacher":
            return models.from_teacher(session, project_id, name, job.id)
        weights = models.student_weights(session, project_id, job.id)
        row = models.begin(session, project_id, name, declared, job_id=job.id, role="student")
    try:
        # A copy: the model outlives its job.
        service.objects.copy(weights.object_key, row.object_key)
        with service.sessions.begin() as session:
            quota.require(session, project_id, weights.size, service.settings.project_bytes)
            return models.uploaded(session, project_id, row.id, size=weights.size, sha256=weights.sha256)
    except BaseException:
        _abandon(service, row)
        raise


def _begin(service: Service, project_id: str, name: str, declared: Architecture) -> Model:
    with service.sessions.begin() as session:
        return models.begin(session, project_id, name, declared)


def _receive(service: Service, row: Model, chunks: Iterator[bytes], size: int) -> Model:
    stored = service.objects.put(row.object_key, chunks, size=size, max_bytes=service.settings.max_model_bytes)
    with service.sessions.begin() as session:
        quota.require(session, row.project_id, stored.size, service.settings.project_bytes)
        return models.uploaded(session, row.project_id, row.id, size=stored.size, sha256=stored.sha256)


def _abandon(service: Service, row: Model) -> None:
    with service.sessions.begin() as session:
        models.abandon(session, row.project_id, row.id)
