"""/v1/artifacts/{id}: the files a job delivers, whole or in ranges."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.deps import ObjectsDep, Reader, ServiceDep, SessionDep
from api.file_answer import StoredFile, answer
from api.problems import responses
from api.schemas.artifacts import ArtifactOut
from store import artifacts

router = APIRouter(prefix="/v1", tags=["artifacts"])

FILE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}
FILE_PARTIAL: dict[int | str, dict[str, Any]] = {
    206: {"description": "Partial Content"},
    304: {"description": "Unchanged"},
}


@router.get("/artifacts/{artifact_id}", response_model=ArtifactOut, responses=responses(401, 403, 404))
def get_artifact(artifact_id: str, principal: Reader, session: SessionDep) -> ArtifactOut:
    """One file's size, hash and what was measured on it."""
    return ArtifactOut.of(artifacts.get(session, principal.project_id, artifact_id))


@router.head("/artifacts/{artifact_id}/content", include_in_schema=False)
@router.get(
    "/artifacts/{artifact_id}/content",
    response_class=StreamingResponse,
    responses=responses(401, 403, 404, 410, 416) | FILE_CONTENT | FILE_PARTIAL,
)
def read_artifact(
    artifact_id: str, principal: Reader, service: ServiceDep, objects: ObjectsDep, request: Request
) -> Response:
    """The file's bytes. Takes one `Range`, so that a broken download can go on; the ETag is its sha256."""
    with service.sessions.begin() as session:  # Over before the first byte goes out, however long the download takes.
        row = artifacts.get(session, principal.project_id, artifact_id)
    name = row.name.rpartition("/")[2] or row.id
    return answer(objects, StoredFile(row.object_key, name, row.media_type, row.size, row.sha256), request)
