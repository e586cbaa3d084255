"""/v1/uploads: a large archive in parts. Begin, send parts in any order, look what is there, complete or abort."""

import base64
import binascii
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.archive_upload import PEEK, from_any_thread, require_archive
from api.deps import Reader, ServiceDep, SessionDep, Submitter
from api.problems import Problem, responses
from api.schemas.uploads import LinkOut, LinksOut, PartOut, UploadIn, UploadOut
from api.service import Service
from store import receiving, uploads
from store.tables import Upload
from store.uploads import Asked, Limits

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])

AWAY = ("object_store_unavailable", "object_store_refused")
LINKS_VALID = timedelta(hours=1)
# RFC 9530, of the one algorithm that we look at.
_SHA256_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")
PART_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "",
    status_code=201,
    response_model=UploadOut,
    responses=responses(401, 403, 413, 422, "quota_exceeded", "no_parts", *AWAY),
)
def begin_upload(body: UploadIn, response: Response, principal: Submitter, service: ServiceDep) -> UploadOut:
    """Begin an upload, or go on with the open one of the same name, size and sha256.

    Where the project has a data set of this sha256, nothing needs to be sent: the upload is complete at once.
    """
    settings = service.settings
    limits = Limits(
        settings.max_upload_bytes,
        settings.upload_part_bytes,
        settings.project_bytes,
        timedelta(hours=settings.upload_expiry_hours),
    )
    asked = Asked(body.name, body.size, body.media_type, body.sha256)
    row = receiving.begin(service.sessions, service.objects, principal.project_id, asked, limits)
    response.headers["location"] = f"/v1/uploads/{row.id}"
    return _shown(service, row)


@router.get("/{upload_id}", response_model=UploadOut, responses=responses(401, 403, 404, *AWAY))
def get_upload(upload_id: str, principal: Reader, service: ServiceDep) -> UploadOut:
    """An upload and the parts that are there."""
    return _shown(service, _row(service, principal.project_id, upload_id))


@router.get(
    "/{upload_id}/links",
    response_model=LinksOut,
    responses=responses(401, 403, 404, 422, "no_links", "wrong_state", "part_refused", *AWAY),
)
def list_links(
    upload_id: str,
    principal: Submitter,
    service: ServiceDep,
    session: SessionDep,
    first: Annotated[int, Query(ge=1, description="The number of the first part.")] = 1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> LinksOut:
    """Links that take parts straight to the object store: PUT exactly the part's bytes, without an API key."""
    row = uploads.for_parts(session, principal.project_id, upload_id, [first])
    last = min(row.parts, first + limit - 1)
    sizes = [(number, row.size_of(number)) for number in range(first, last + 1)]
    expires_at = datetime.now(UTC) + LINKS_VALID
    links = None
    if service.settings.upload_links:
        links = service.objects.parts.links(row.object_key, row.store_token or "", sizes, LINKS_VALID)
    if links is None:
        hint = f"Send parts to /v1/uploads/{upload_id}/parts/1 and so on."
        raise Problem(409, "no_links", "This service's store takes parts through the API alone.", hint=hint)
    data = [LinkOut(number=number, size=size, url=url) for (number, size), url in zip(sizes, links, strict=True)]
    return LinksOut(data=data, expires_at=expires_at, next=last + 1 if last < row.parts else None)


@router.put(
    "/{upload_id}/parts/{number}",
    response_model=PartOut,
    responses=responses(
        401,
        403,
        404,
        413,
        422,
        507,
        "upload_broken",
        "wrong_state",
        "part_refused",
        "not_an_archive",
        "empty_upload",
        *AWAY,
    ),
    openapi_extra=PART_BODY,
)
async def put_part(
    upload_id: str,
    number: int,
    request: Request,
    principal: Submitter,
    service: ServiceDep,
    content_digest: Annotated[str | None, Header(description="`sha-256=:...:` (RFC 9530), to verify it by.")] = None,
) -> PartOut:
    """Send a part: its bytes as the body. Sending one again replaces it; a part that breaks off leaves what was."""
    sha256 = _promised(content_digest)
    row = await run_in_threadpool(_for_part, service, principal.project_id, upload_id, number)
    _require_length(request, row, number)
    chunks = aiter(request.stream())
    try:
        # The first bytes of the first part tell whether this is an archive at all.
        first = await _head(chunks, PEEK if number == 1 else 1)
        if number == 1:
            require_archive(first)
        part = await run_in_threadpool(
            receiving.take_part,
            service.sessions,
            service.objects,
            row,
            number,
            from_any_thread(first, chunks),
            sha256,
        )
    except ClientDisconnect as error:
        raise Problem(400, "upload_broken", f"Part {number} broke off; send it again.") from error
    return PartOut.of(part)


@router.post(
    "/{upload_id}/complete",
    response_model=UploadOut,
    responses=responses(
        401,
        403,
        404,
        507,
        "wrong_state",
        "upload_incomplete",
        "content_mismatch",
        "not_an_archive",
        "empty_upload",
        *AWAY,
    ),
)
def complete_upload(upload_id: str, principal: Submitter, service: ServiceDep) -> UploadOut:
    """Join the parts, verify the whole, and have it checked as a data set. Repeating is fine.

    Takes as long as reading the whole does. With a wrong sha256 nothing is kept; with parts missing it goes on.
    """
    row = receiving.complete(service.sessions, service.objects, principal.project_id, upload_id, require_archive)
    return _shown(service, row)


@router.delete("/{upload_id}", status_code=204, responses=responses(401, 403, 404, "wrong_state", *AWAY))
def abort_upload(upload_id: str, principal: Submitter, service: ServiceDep) -> None:
    """Abort an upload; its parts are deleted. Repeating is fine."""
    receiving.abort(service.sessions, service.objects, principal.project_id, upload_id)


def _row(service: Service, project_id: str, upload_id: str) -> Upload:
    with service.sessions.begin() as session:
        return uploads.get(session, project_id, upload_id)


def _for_part(service: Service, project_id: str, upload_id: str, number: int) -> Upload:
    with service.sessions.begin() as session:
        return uploads.for_parts(session, project_id, upload_id, [number])


def _shown(service: Service, row: Upload) -> UploadOut:
    parts = service.objects.parts
    direct = service.settings.upload_links and parts.direct
    return UploadOut.of(row, receiving.parts_of(service.objects, row), checksum=parts.checksum, direct=direct)


def _promised(content_digest: str | None) -> str | None:
    """The sha256, in hex, that a Content-Digest promises; None where there is none. Raises Problem 422."""
    if content_digest is None:
        return None
    found = _SHA256_DIGEST.search(content_digest)
    try:
        return base64.b64decode(found[1], validate=True).hex() if found else _bad_digest()
    except binascii.Error:
        return _bad_digest()


def _bad_digest() -> str:
    hint = "Write `Content-Digest: sha-256=:BASE64:`, or leave it out."
    raise Problem(422, "invalid", "The Content-Digest header names no sha-256.", hint=hint)


def _require_length(request: Request, row: Upload, number: int) -> None:
    """Refuse a part whose header says that it is of the wrong size, before a byte of it is read."""
    declared = request.headers.get("content-length", "")
    size = row.size_of(number)
    if declared.isdigit() and int(declared) != size:
        raise Problem(422, "part_refused", f"Part {number} has {size} bytes, and {declared} are announced.")


async def _head(chunks: AsyncIterator[bytes], at_least: int) -> bytes:
    """The first chunks, as long together as asked where there is so much."""
    head = b""
    while len(head) < at_least and (chunk := await anext(chunks, None)) is not None:
        head += chunk
    return head
