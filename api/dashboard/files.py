"""Style sheets, scripts and the pinned assets of other projects."""

import hashlib

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.dashboard.render import STATIC

# What every page has, small files for whoever writes them and one request for whoever reads.
SHARED = ("tokens", "ground", "marks", "controls", "parts", "frame")


class Files(StaticFiles):
    """Static files that browsers keep and ask after: never stale after an update, mostly a 304."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file; `css/shared.css` is made of several."""
        response = _shared(scope) if path == "css/shared.css" else await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


def _shared(scope: Scope) -> Response:
    """The sheets of the visual system, one below the other in the order of their layers."""
    sheets = "\n".join((STATIC / "css" / f"{name}.css").read_text(encoding="utf-8") for name in SHARED)
    etag = f'"{hashlib.sha256(sheets.encode()).hexdigest()[:32]}"'
    if etag in Headers(scope=scope).get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": etag})
    return Response(sheets, headers={"etag": etag}, media_type="text/css")
