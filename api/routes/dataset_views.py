"""/v1/datasets/{id}/thumbnails and revisions: pictures of a data set, and what else bears its name."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from api.deps import ObjectsDep, Reader, ServiceDep, SessionDep
from api.file_answer import StoredFile, answer
from api.problems import responses
from api.schemas.datasets import DatasetOut, RevisionsOut, ThumbnailOut, ThumbnailsOut
from store import datasets, thumbnails

router = APIRouter(prefix="/v1/datasets/{dataset_id}", tags=["datasets"])

PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "Partial Content"},
    304: {"description": "Unchanged"},
}


@router.get("/thumbnails", response_model=ThumbnailsOut, responses=responses(401, 403, 404))
def list_thumbnails(dataset_id: str, principal: Reader, session: SessionDep) -> ThumbnailsOut:
    """Up to 24 small pictures with their boxes, made when the data set was checked."""
    rows = thumbnails.list_all(session, principal.project_id, dataset_id)
    return ThumbnailsOut(data=[ThumbnailOut.of(row) for row in rows])


@router.get(
    "/thumbnails/{number}",
    response_class=StreamingResponse,
    responses=responses(401, 403, 404, 410, 416) | PICTURE,
)
def read_thumbnail(
    dataset_id: str,
    number: Annotated[int, Path(ge=1, le=1000)],
    principal: Reader,
    service: ServiceDep,
    objects: ObjectsDep,
    request: Request,
) -> Response:
    """One picture, without the boxes drawn."""
    with service.sessions.begin() as session:
        row = thumbnails.get(session, principal.project_id, dataset_id, number)
    return answer(objects, StoredFile(row.object_key, f"{number}.webp", "image/webp", row.size, row.sha256), request)


@router.get("/revisions", response_model=RevisionsOut, responses=responses(401, 403, 404))
def list_revisions(dataset_id: str, principal: Reader, session: SessionDep) -> RevisionsOut:
    """What was uploaded under this name, newest first; the newest fifty."""
    name = datasets.get(session, principal.project_id, dataset_id).name
    rows = datasets.revisions(session, principal.project_id, name)
    return RevisionsOut(data=[DatasetOut.of(row) for row in rows])
