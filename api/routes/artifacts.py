"""/v1/jobs/{id}/artifacts and /v1/artifacts/{id}: the files a job delivers, whole or in ranges."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.byte_range import ByteRange, requested_range
from api.deps import ObjectsDep, Reader, ServiceDep, SessionDep
from api.problems import Problem, responses
from api.schemas.artifacts import ArtifactOut, ArtifactsOut
from store import artifacts
from store.tables import Artifact

router = APIRouter(prefix="/v1", tags=["artifacts"])

# A report is a page made from users' names and pictures: shown in a box of its own, without scripts or our cookie.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
SHOWN_IN_BROWSER = ("text/html", "image/png", "image/jpeg", "image/webp", "image/svg+xml", "text/plain")
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}
_PARTIAL: dict[int | str, dict[str, Any]] = {206: {"description": "Partial Content"}, 304: {"description": "Unchanged"}}


@router.get("/jobs/{job_id}/artifacts", response_model=ArtifactsOut, responses=responses(401, 403, 404))
def list_artifacts(job_id: str, principal: Reader, session: SessionDep) -> ArtifactsOut:
    """The job's files by name, each as the newest attempt wrote it."""
    return ArtifactsOut(
        data=[ArtifactOut.of(row) for row in artifacts.list_newest(session, principal.project_id, job_id)]
    )


@router.get("/artifacts/{artifact_id}", response_model=ArtifactOut, responses=responses(401, 403, 404))
def get_artifact(artifact_id: str, principal: Reader, session: SessionDep) -> ArtifactOut:
    """One file's size, hash and what was measured on it."""
    return ArtifactOut.of(artifacts.get(session, principal.project_id, artifact_id))


@router.head("/artifacts/{artifact_id}/content", include_in_schema=False)
@router.get(
    "/artifacts/{artifact_id}/content",
    response_class=StreamingResponse,
    responses=responses(401, 403, 404, 410, 416) | _CONTENT | _PARTIAL,
)
def read_artifact(
    artifact_id: str, principal: Reader, service: ServiceDep, objects: ObjectsDep, request: Request
) -> Response:
    """The file's bytes. Takes one `Range`, so that a broken download can go on; the ETag is its sha256."""
    with service.sessions.begin() as session:  # Over before the first byte goes out, however long the download takes.
        row = artifacts.get(session, principal.project_id, artifact_id)
    headers = _headers(row)
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    part = _part(request, row)
    headers["content-length"] = str(part.end - part.start if part else row.size)
    if part:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{row.size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=row.media_type)
    stream: Iterator[bytes] = (
        objects.get(row.object_key, start=part.start, end=part.end) if part else objects.get(row.object_key)
    )
    return StreamingResponse(stream, status, headers=headers, media_type=row.media_type)


def _part(request: Request, row: Artifact) -> ByteRange | None:
    guard = request.headers.get("if-range")
    if guard is not None and guard != f'"{row.sha256}"':
        return None  # The file is another one by now: send it whole.
    wanted = requested_range(request.headers.get("range"), row.size)
    if wanted == "unsatisfiable":
        detail = f"The file has {row.size} bytes; the range asked for lies outside."
        raise Problem(416, "range_not_satisfiable", detail, headers={"content-range": f"bytes */{row.size}"})
    return wanted


def _headers(row: Artifact) -> dict[str, str]:
    filename = row.name.rpartition("/")[2] or row.id
    placement = "inline" if row.media_type.split(";")[0] in SHOWN_IN_BROWSER else "attachment"
    return {
        "etag": f'"{row.sha256}"',
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=3600",
        "content-disposition": f"{placement}; filename*=UTF-8''{quote(filename, safe='')}",
        "content-security-policy": SANDBOX,
    }
