"""Jobs that succeeded, as experience for those to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Float, cast, func, literal_column, select
from sqlalchemy.orm import Session

from store.tables import Job, JobEvent
from store.tables.base import Json
from store.tables.jobs import STUDENT, TEACHER

NEWEST = 10
TRAININGS = ("teacher", "baseline", "imitation")


@dataclass(frozen=True)
class PastJob:
    """What it was asked and resolved to, what came out, and seconds of its stages that train nothing."""

    resolved: Json
    result: Json
    around_seconds: float


def of_pair(session: Session, project_id: str, teacher: str, student: str, device: str) -> Sequence[PastJob]:
    """The newest of a pair of detectors on a kind of device, `cpu` or `cuda`."""
    query = (
        select(Job.id, Job.resolved, Job.result)
        .where(
            Job.project_id == project_id,
            Job.state == "succeeded",
            literal_column(TEACHER) == teacher,
            literal_column(STUDENT) == student,
            Job.resolved["device"].astext.startswith(device),
        )
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(NEWEST)
    )
    rows = session.execute(query).all()
    around = _around(session, [row.id for row in rows])
    return [PastJob(row.resolved, row.result, around.get(row.id, 0.0)) for row in rows]


def _around(session: Session, job_ids: Sequence[str]) -> Mapping[str, float]:
    query = (
        select(JobEvent.job_id, func.sum(cast(JobEvent.data["seconds"].astext, Float)))
        .where(
            JobEvent.job_id.in_(job_ids),
            JobEvent.kind == "stage_finished",
            JobEvent.data["stage"].astext.not_in(TRAININGS),
        )
        .group_by(JobEvent.job_id)
    )
    return {job_id: seconds or 0.0 for job_id, seconds in session.execute(query)}
