"""Calls that will end: told in the description, and in every answer by `Deprecation` and `Sunset` (RFC 9745, RFC 8594).

A route says it by `deprecated=True, openapi_extra=ending(since=..., until=..., instead="/v1/...")`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.calls import calls

FIELD = "x-ending"
HEADERS = {
    "Deprecation": "Since when not to build on this call any more, as `@` and seconds (RFC 9745).",
    "Sunset": "When it ends (RFC 8594).",
    "Link": 'What to use instead, as `rel="successor-version"`.',
}


@dataclass(frozen=True)
class Ending:
    """Since when not to build on a call, until when it works (midnight, UTC), and what to use instead."""

    since: date
    until: date
    instead: str

    def headers(self) -> dict[str, str]:
        """The headers that say so."""
        return {
            "deprecation": f"@{int(_midnight(self.since).timestamp())}",
            "sunset": format_datetime(_midnight(self.until), usegmt=True),
            "link": f'<{self.instead}>; rel="successor-version"',
        }


def ending(*, since: date, until: date, instead: str) -> dict[str, Any]:
    """The `openapi_extra` of a route that will end. Raises ValueError for less than six months' notice."""
    if (until - since).days < 180:
        raise ValueError(f"a call that ends needs six months' notice: {since} to {until} are fewer")
    return {FIELD: {"since": since.isoformat(), "until": until.isoformat(), "instead": instead}}


def describe(app: FastAPI, document: dict[str, Any]) -> None:
    """Add the headers to the description of the calls that will end."""
    for route in calls(app):
        if _ending_of(route) is not None:
            for method in route.methods or ():
                for answer in document["paths"][route.path][method.lower()]["responses"].values():
                    told = {name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()}
                    answer.setdefault("headers", {}).update(told)


class TellEndings:
    """Adds the headers to every answer of a call that will end, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_ending(message: Message) -> None:
            told = _ending_of(scope.get("route")) if message["type"] == "http.response.start" else None
            if told is not None:
                MutableHeaders(scope=message).update(told.headers())
            await send(message)

        await self.app(scope, receive, send_with_ending)


def _ending_of(route: object) -> Ending | None:
    told = (getattr(route, "openapi_extra", None) or {}).get(FIELD)
    if told is None:
        return None
    return Ending(date.fromisoformat(told["since"]), date.fromisoformat(told["until"]), told["instead"])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
