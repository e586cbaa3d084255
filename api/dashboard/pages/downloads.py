"""The files of a job, with what was measured on each and how to fetch it."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.dashboard.access import Resident
from api.dashboard.render import page
from api.dashboard.views.downloads import downloads
from api.dashboard.views.job_head import job_head
from api.deps import SessionDep, SettingsDep
from api.scores import Scores
from store import artifacts, jobs
from store.errors import NotFound
from store.standings import best_accuracy

router = APIRouter(include_in_schema=False, prefix="/jobs/{job_id}/downloads")


@router.get("")
def show_downloads(job_id: str, resident: Resident, session: SessionDep, settings: SettingsDep) -> Response:
    """Exports beside the student that they were made from, the report, and all other files."""
    try:
        job = jobs.get(session, resident.project_id, job_id)
    except NotFound:
        return page("missing.html", 404, what=f"job {job_id}")
    scores = Scores.of(best_accuracy(session, [job.id]).get(job.id, {}))
    return page(
        "job/downloads.html",
        job=job_head(job),
        files=downloads(artifacts.list_newest(session, resident.project_id, job_id), settings.public_url),
        trained=scores.imitated if scores.imitated is not None else scores.plain,
    )
