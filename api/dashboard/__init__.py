"""The dashboard: server-rendered pages. The only place that knows HTML."""

from fastapi import FastAPI

from api.dashboard import access, files, pages, streams, trouble


def install(app: FastAPI) -> None:
    """Add the pages, their streams and their files to the application."""
    for part in (access, streams, pages):  # Before `/jobs/{job_id}` takes `/jobs/stream` for a job.
        app.include_router(part.router)
    app.add_exception_handler(access.NoSession, access.on_no_session)
    app.state.problem_page = trouble.problem_page
    app.mount("/static", files.Files())
