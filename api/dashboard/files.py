"""Style sheets, scripts and the pinned assets of other projects."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.dashboard.render import STATIC


class Files(StaticFiles):
    """Static files that browsers keep and ask after: never stale after an update, mostly a 304."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response
