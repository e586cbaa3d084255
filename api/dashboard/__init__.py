"""The dashboard: server-rendered pages. The only place that knows HTML."""

from fastapi import FastAPI

from api.dashboard import access, files, streams, trouble
from api.dashboard.pages import ROUTERS


def install(app: FastAPI) -> None:
    """Add the pages, their streams and their files to the application."""
    for router in (access.router, streams.router, *ROUTERS):  # Streams first: `/jobs/{job_id}` takes any name.
        app.include_router(router)
    app.add_exception_handler(access.NoSession, access.on_no_session)
    app.state.problem_page = trouble.problem_page
    app.mount("/static", files.Files())
