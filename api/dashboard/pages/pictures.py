"""The pictures of a job: its script draws what the run wrote into its album."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.dashboard.access import Resident
from api.dashboard.job_files import PICTURES, find
from api.dashboard.render import page
from api.dashboard.views.job_head import job_head
from api.deps import SessionDep
from store import artifacts, jobs
from store.errors import NotFound

router = APIRouter(include_in_schema=False, prefix="/jobs/{job_id}/pictures")


@router.get("")
def show_pictures(job_id: str, resident: Resident, session: SessionDep) -> Response:
    """The viewer, and where it finds the album; before that is written, when it comes."""
    try:
        job = jobs.get(session, resident.project_id, job_id)
    except NotFound:
        return page("missing.html", 404, what=f"job {job_id}")
    album = find(artifacts.list_newest(session, resident.project_id, job_id), PICTURES)
    return page("job/pictures.html", job=job_head(job), album=f"/v1/artifacts/{album.id}/content" if album else None)
