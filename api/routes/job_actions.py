"""/v1/jobs/{id}/cancel, pause, resume, retry."""

from fastapi import APIRouter

from api.deps import SessionDep, Submitter
from api.job_answers import whole
from api.problems import responses
from api.schemas.jobs import JobOut
from store import jobs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

ACTED = responses(401, 403, 404, "wrong_state")


@router.post("/{job_id}/cancel", response_model=JobOut, responses=ACTED)
def cancel_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """End a job: at once when it waits, else once its worker has stopped. Cancelling twice is fine."""
    return whole(session, jobs.cancel(session, principal.project_id, job_id))


@router.post("/{job_id}/pause", response_model=JobOut, responses=ACTED)
def pause_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """Let a job rest: at once when it waits, else once its run wrote a checkpoint. Its worker is free meanwhile."""
    return whole(session, jobs.pause(session, principal.project_id, job_id))


@router.post("/{job_id}/resume", response_model=JobOut, responses=ACTED)
def resume_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """Queue a paused job; it goes on from its newest checkpoint."""
    return whole(session, jobs.resume(session, principal.project_id, job_id))


@router.post(
    "/{job_id}/retry",
    response_model=JobOut,
    responses=responses(401, 403, 404, "wrong_state", "dataset_not_ready", "model_not_ready"),
)
def retry_job(job_id: str, principal: Submitter, session: SessionDep) -> JobOut:
    """Queue a failed or cancelled job again with new budgets; it goes on from its newest checkpoint."""
    return whole(session, jobs.retry(session, principal.project_id, job_id))
