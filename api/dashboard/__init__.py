"""The dashboard: server-rendered pages. The only place that knows HTML."""

from fastapi import FastAPI

from api.dashboard import access, files, oidc, streams, trouble
from api.dashboard.pages import ROUTERS


def install(app: FastAPI) -> None:
    """Add the pages, their streams and their files to the application."""
    # Streams first: `/jobs/{job_id}` takes any name.
    for router in (access.router, oidc.router, streams.router, *ROUTERS):
        app.include_router(router)
    app.add_exception_handler(access.NoSession, access.on_no_session)
    app.state.problem_page = trouble.problem_page
    app.mount("/static", files.Files())
