"""A stored file as an answer: whole or one range of it, with its sha256 as ETag, nothing held in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.byte_range import ByteRange, requested_range
from api.problems import Problem
from store.objects import ObjectStore

# A report is a page made from users' names and pictures: shown in a box of its own, without scripts or our cookie.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
SHOWN_IN_BROWSER = ("text/html", "image/png", "image/jpeg", "image/webp", "image/svg+xml", "text/plain")


@dataclass(frozen=True)
class StoredFile:
    """An object, and the file that it is for whoever downloads it."""

    object_key: str
    name: str
    media_type: str
    size: int
    sha256: str


def answer(objects: ObjectStore, file: StoredFile, request: Request) -> Response:
    """The file's bytes, or the range asked for. Raises Problem 416; ObjectMissing when its object is gone."""
    headers = _headers(file)
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    part = _part(request, file)
    headers["content-length"] = str(part.end - part.start if part else file.size)
    if part:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{file.size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.media_type)
    stream: Iterator[bytes] = (
        objects.get(file.object_key, start=part.start, end=part.end) if part else objects.get(file.object_key)
    )
    return StreamingResponse(stream, status, headers=headers, media_type=file.media_type)


def _part(request: Request, file: StoredFile) -> ByteRange | None:
    guard = request.headers.get("if-range")
    if guard is not None and guard != f'"{file.sha256}"':
        return None  # The file is another one by now: send it whole.
    wanted = requested_range(request.headers.get("range"), file.size)
    if wanted == "unsatisfiable":
        detail = f"The file has {file.size} bytes; the range asked for lies outside."
        raise Problem(416, "range_not_satisfiable", detail, headers={"content-range": f"bytes */{file.size}"})
    return wanted


def _headers(file: StoredFile) -> dict[str, str]:
    placement = "inline" if file.media_type.split(";")[0] in SHOWN_IN_BROWSER else "attachment"
    return {
        "etag": f'"{file.sha256}"',
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=3600",
        "content-disposition": f"{placement}; filename*=UTF-8''{quote(file.name, safe='')}",
        "content-security-policy": SANDBOX,
    }
