"""/v1/datasets/{id}/exports: a data set in another format, made by a worker and kept for a while."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.deps import ObjectsDep, Reader, ServiceDep, SessionDep, Submitter
from api.file_answer import StoredFile, answer
from api.problems import responses
from api.schemas.exports import ExportIn, ExportOut, ExportsOut
from store import datasets, exports

router = APIRouter(prefix="/v1/datasets/{dataset_id}/exports", tags=["datasets"])

ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "Partial Content"},
    304: {"description": "Unchanged"},
}


@router.post(
    "",
    status_code=202,
    response_model=ExportOut,
    responses=responses(401, 403, 404, 422, "dataset_not_ready"),
)
def create_export(
    dataset_id: str,
    body: ExportIn,
    principal: Submitter,
    service: ServiceDep,
    session: SessionDep,
    response: Response,
) -> ExportOut:
    """Have a data set written in another format. Asked again, the same export is answered, and kept longer."""
    keep = timedelta(hours=service.settings.export_hours)
    row = exports.create(session, principal.project_id, dataset_id, body.format, keep)
    response.headers["location"] = f"/v1/datasets/{dataset_id}/exports/{row.id}"
    return ExportOut.of(row)


@router.get("", response_model=ExportsOut, responses=responses(401, 403, 404))
def list_exports(dataset_id: str, principal: Reader, session: SessionDep) -> ExportsOut:
    """A data set's exports that have not expired, newest first."""
    rows = exports.list_all(session, principal.project_id, dataset_id)
    return ExportsOut(data=[ExportOut.of(row) for row in rows])


@router.get("/{export_id}", response_model=ExportOut, responses=responses(401, 403, 404))
def get_export(dataset_id: str, export_id: str, principal: Reader, session: SessionDep) -> ExportOut:
    """How far an export is; of one that is ready, what was written and what its format cannot say."""
    return ExportOut.of(exports.get(session, principal.project_id, dataset_id, export_id))


@router.head("/{export_id}/content", include_in_schema=False)
@router.get(
    "/{export_id}/content",
    response_class=StreamingResponse,
    responses=responses(401, 403, 404, 410, 416, "wrong_state") | ARCHIVE,
)
def read_export(
    dataset_id: str,
    export_id: str,
    principal: Reader,
    service: ServiceDep,
    objects: ObjectsDep,
    request: Request,
) -> Response:
    """The archive's bytes, a zip. Takes one `Range`, so that a broken download can go on; the ETag is its sha256."""
    with service.sessions.begin() as session:  # Over before the first byte goes out.
        name = datasets.get(session, principal.project_id, dataset_id).name
        shown = exports.get(session, principal.project_id, dataset_id, export_id).format
        found = exports.archive(session, principal.project_id, dataset_id, export_id)
    file = StoredFile(found.key, f"{name}-{shown}.zip", "application/zip", found.size, found.sha256)
    return answer(objects, file, request)
