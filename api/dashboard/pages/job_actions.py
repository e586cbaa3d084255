"""What a person does to a job from its page."""

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.dashboard.access import Submitting
from api.deps import SessionDep
from store import jobs
from store.errors import StoreError
from store.states import Action
from store.tables import Job

router = APIRouter(include_in_schema=False, prefix="/jobs/{job_id}")

ACTIONS: dict[Action, Callable[[Session, str, str], Job]] = {
    "cancel": jobs.cancel,
    "pause": jobs.pause,
    "resume": jobs.resume,
    "retry": jobs.retry,
}


@router.post("/delete")
def delete(job_id: str, resident: Submitting, session: SessionDep) -> Response:
    """Delete a job that is over. Raises NotFound, and WrongState while it may still run."""
    jobs.delete(session, resident.project_id, job_id)
    return RedirectResponse("/jobs", 303)


@router.post("/{action}")
def act(job_id: str, action: Action, resident: Submitting, session: SessionDep) -> Response:
    """Act on a job, and show what came of it: one that moved on meanwhile is no error for the person who clicked."""
    try:
        job = ACTIONS[action](session, resident.project_id, job_id)
    except StoreError:
        job = jobs.get(session, resident.project_id, job_id)
    return RedirectResponse(f"/jobs/{job.id}", 303)
