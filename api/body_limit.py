"""A limit on the size of a request's body, counted as it arrives: a header may lie, or be missing."""

from fnmatch import fnmatchcase

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, respond


class BodyLimit:
    """Refuse bodies beyond `limit` bytes with 413; uploads have a limit of their own.

    uploads: their methods and paths, in which `*` stands for anything.
    """

    def __init__(self, app: ASGIApp, limit: int, upload_limit: int, uploads: frozenset[tuple[str, str]]) -> None:
        self.app, self.limit, self.upload_limit, self.uploads = app, limit, upload_limit, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count what it brings."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.upload_limit if self._takes_upload(scope) else self.limit
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            await respond(_too_large(limit), scope.get("fgfi.request_id"))(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413)  # The one kind of error that FastAPI lets through while it reads a body.
            return message

        await self.app(scope, counted, send)

    def _takes_upload(self, scope: Scope) -> bool:
        return any(scope["method"] == method and fnmatchcase(scope["path"], path) for method, path in self.uploads)


def _too_large(limit: int) -> Problem:
    return Problem(413, "too_large", f"The request's body is larger than the {limit} bytes this call takes.")
