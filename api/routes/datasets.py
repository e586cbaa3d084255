"""/v1/datasets: upload an archive, list, read, delete."""

from collections.abc import Iterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.archive_upload import archive_chunks, from_any_thread
from api.deps import Reader, ServiceDep, SessionDep, Submitter
from api.problems import Problem, responses
from api.schemas.datasets import DatasetOut
from api.schemas.page import PageOut
from api.service import Service
from store import datasets
from store.states import DatasetState
from store.tables import Dataset

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE_FORM = {"schema": {"type": "object", "properties": {"file": _BINARY["schema"]}, "required": ["file"]}}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "application/zip": _BINARY,
            "application/gzip": _BINARY,
            "application/x-tar": _BINARY,
            "application/zstd": _BINARY,
            "multipart/form-data": _FILE_FORM,
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=DatasetOut,
    responses=responses(
        400, 401, 403, 413, 422, "upload_broken", "quota_exceeded", "not_an_archive", "empty_upload", 507
    )
    | {200: {"model": DatasetOut, "description": "The project has this content already."}},
    openapi_extra=UPLOAD,
)
async def upload_dataset(
    request: Request,
    response: Response,
    principal: Submitter,
    service: ServiceDep,
    name: Annotated[str, Query(min_length=1, max_length=200, description="What people will call it.")],
) -> DatasetOut:
    """Upload a data set as an archive: the raw body, or the first file of a form.

    It is streamed to the object store; then a worker checks it, and the state goes from `checking` to `ready` or
    `rejected`. Where the project has a data set of the same content already, that one is answered (200), under its own
    name.
    """
    chunks = archive_chunks(request)
    # The first bytes tell whether this is an archive at all: before that, nothing is written.
    first = await anext(chunks)
    row = await run_in_threadpool(_begin, service, principal.project_id, name)
    try:
        row, known = await run_in_threadpool(_receive, service, row, from_any_thread(first, chunks))
    except BaseException as error:
        # Also when the client goes away or the server stops: half an archive is of no use to anybody.
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(_abandon, service, row)
        if isinstance(error, ClientDisconnect):
            raise Problem(400, "upload_broken", "The upload broke off; nothing was kept.") from error
        raise
    if known:
        response.status_code = 200
    response.headers["location"] = f"/v1/datasets/{row.id}"
    return DatasetOut.of(row)


@router.get("", response_model=PageOut[DatasetOut], responses=responses(401, 403, 422, "bad_cursor"))
def list_datasets(
    principal: Reader,
    session: SessionDep,
    state: Annotated[list[DatasetState] | None, Query()] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageOut[DatasetOut]:
    """Data sets, newest first."""
    page = datasets.list_page(session, principal.project_id, states=state or (), cursor=cursor, limit=limit)
    return PageOut(data=[DatasetOut.of(row) for row in page.rows], has_more=page.has_more, next_cursor=page.next_cursor)


@router.get("/{dataset_id}", response_model=DatasetOut, responses=responses(401, 403, 404))
def get_dataset(dataset_id: str, principal: Reader, session: SessionDep) -> DatasetOut:
    """One data set with the report of its check."""
    return DatasetOut.of(datasets.get(session, principal.project_id, dataset_id))


@router.delete("/{dataset_id}", status_code=204, responses=responses(401, 403, 404))
def delete_dataset(dataset_id: str, principal: Submitter, session: SessionDep) -> None:
    """Delete a data set. Finished jobs keep their results; a job that still needs it fails and says so."""
    datasets.delete(session, principal.project_id, dataset_id)


def _begin(service: Service, project_id: str, name: str) -> Dataset:
    with service.sessions.begin() as session:
        return datasets.begin(session, project_id, name)


def _receive(service: Service, row: Dataset, chunks: Iterator[bytes]) -> tuple[Dataset, bool]:
    stored = service.objects.put(row.object_key, chunks, max_bytes=service.settings.max_upload_bytes)
    with service.sessions.begin() as session:
        limit = service.settings.project_bytes
        return datasets.received(session, row.project_id, row.id, size=stored.size, sha256=stored.sha256, limit=limit)


def _abandon(service: Service, row: Dataset) -> None:
    with service.sessions.begin() as session:
        datasets.abandon(session, row.project_id, row.id)
