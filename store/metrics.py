"""Series of metrics, thinned for drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from store.jobs import get as get_job
from store.tables import Metric


@dataclass(frozen=True)
class Point:
    """One value. `value` may be NaN or infinite."""

    step: int
    epoch: float
    value: float
    attempt: int
    time: datetime


@dataclass(frozen=True)
class Series:
    """One metric of one stage and seed, by rising step. `total`: how many points there were before thinning."""

    stage: str
    seed: int
    name: str
    total: int
    points: Sequence[Point]


def series(
    session: Session,
    project_id: str,
    job_id: str,
    *,
    stages: Sequence[str] = (),
    names: Sequence[str] = (),
    max_points: int = 1000,
) -> list[Series]:
    """The job's series. A step that several attempts reported counts as the newest one did. Raises NotFound.

    names: exact, or a prefix ending in `*`. A series longer than `max_points` keeps its ends and, of each stretch of
    steps, the smallest and the largest value, so that no peak disappears.
    """
    get_job(session, project_id, job_id)
    query = select(Metric).where(Metric.job_id == job_id)
    if stages:
        query = query.where(Metric.stage.in_(stages))
    if names:
        exact = Metric.name.in_([name for name in names if not name.endswith("*")])
        prefixes = [Metric.name.startswith(name[:-1], autoescape=True) for name in names if name.endswith("*")]
        query = query.where(or_(exact, *prefixes))
    key = (Metric.stage, Metric.seed, Metric.name, Metric.step)
    query = query.ext(distinct_on(*key)).order_by(*key, Metric.attempt.desc())
    found: dict[tuple[str, int, str], list[Point]] = {}
    for row in session.scalars(query):
        point = Point(row.step, row.epoch, row.value, row.attempt, row.time)
        found.setdefault((row.stage, row.seed, row.name), []).append(point)
    return [Series(*which, len(points), thin(points, max_points)) for which, points in found.items()]


def latest(session: Session, project_id: str, job_id: str, names: Sequence[str] = ()) -> list[Series]:
    """The last point of each series; cheap, for a job's summary. Raises NotFound."""
    get_job(session, project_id, job_id)
    query = select(Metric).where(Metric.job_id == job_id)
    if names:
        query = query.where(Metric.name.in_(names))
    key = (Metric.stage, Metric.seed, Metric.name)
    query = query.ext(distinct_on(*key)).order_by(*key, Metric.step.desc(), Metric.attempt.desc())
    return [
        Series(row.stage, row.seed, row.name, 1, [Point(row.step, row.epoch, row.value, row.attempt, row.time)])
        for row in session.scalars(query)
    ]


def names(session: Session, job_id: str) -> list[str]:
    """The names of all metrics the job has reported. The caller owns the job."""
    return sorted(session.scalars(select(Metric.name).where(Metric.job_id == job_id).distinct()))


def count(session: Session, job_id: str) -> int:
    """How many values the job has reported."""
    return session.scalar(select(func.count()).select_from(Metric).where(Metric.job_id == job_id)) or 0


def thin(points: Sequence[Point], max_points: int) -> Sequence[Point]:
    """At most about `max_points` of the points: both ends, and the extremes of equal stretches between them."""
    if len(points) <= max_points:
        return points
    stretches = max(1, (max_points - 2) // 2)
    inner = points[1:-1]
    kept = [points[0]]
    for index in range(stretches):
        stretch = inner[index * len(inner) // stretches : (index + 1) * len(inner) // stretches]
        if stretch:
            low, high = min(stretch, key=lambda p: p.value), max(stretch, key=lambda p: p.value)
            kept.extend(sorted({low, high}, key=lambda p: p.step))
    return [*kept, points[-1]]
