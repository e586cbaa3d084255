"""A job's row as the answer of a call."""

from sqlalchemy.orm import Session

from api.schemas.jobs import JobOut
from store import jobs, transitions
from store.standings import best_accuracy
from store.tables import Job


def whole(session: Session, job: Job) -> JobOut:
    """The job in full, with its attempts and its way so far."""
    best = best_accuracy(session, [job.id]).get(job.id, {})
    attempts = jobs.attempts_of(session, job.project_id, job.id)
    return JobOut.whole(job, best, attempts, transitions.of_job(session, job.project_id, job.id))
