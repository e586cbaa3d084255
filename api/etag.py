"""Answers that are not sent again while nothing has changed."""

import hashlib
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged"}}
"""OpenAPI's entry for it."""


def answer(request: Request, content: BaseModel) -> Response:
    """The content with its `ETag`, or 304 where the caller named it in `If-None-Match`."""
    body = content.model_dump_json()
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if _named(etag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSONResponse.media_type, headers=headers)


def _named(etag: str, asked: str) -> bool:
    """Whether a list of tags has this one, or is `*`; a proxy may have made the tag a weak one."""
    return asked.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in asked.split(","))
