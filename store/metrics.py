"""Series of metrics, thinned for drawing."""

from collections.abc import Iterator, Sequence

from sqlalchemy import func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from store import metric_thinning
from store.jobs import get as get_job
from store.metric_thinning import ALL_STEPS, Key, Point, Series
from store.tables import Metric

__all__ = ["Point", "Series", "count", "every_point", "latest", "names", "series"]


def series(
    session: Session,
    project_id: str,
    job_id: str,
    *,
    stages: Sequence[str] = (),
    names: Sequence[str] = (),
    max_points: int = 1000,
    steps: tuple[int, int] = ALL_STEPS,
) -> list[Series]:
    """The job's series. A step that several attempts reported counts as the newest one did. Raises NotFound.

    names: exact, or a prefix ending in `*`. steps: first and last. A series longer than `max_points` keeps its ends
    and, of each stretch of steps, the smallest and the largest value, so that no peak disappears.
    """
    get_job(session, project_id, job_id)
    asked = select(Metric.stage, Metric.seed, Metric.name, func.count().label("rows")).where(Metric.job_id == job_id)
    if steps != ALL_STEPS:
        asked = asked.where(Metric.step.between(*steps))
    if stages:
        asked = asked.where(Metric.stage.in_(stages))
    if names:
        exact = Metric.name.in_([name for name in names if not name.endswith("*")])
        prefixes = [Metric.name.startswith(name[:-1], autoescape=True) for name in names if name.endswith("*")]
        asked = asked.where(or_(exact, *prefixes))
    key = (Metric.stage, Metric.seed, Metric.name)
    rows = session.execute(asked.group_by(*key).order_by(*key)).all()
    short = _whole(session, job_id, steps, [(row.stage, row.seed, row.name) for row in rows if row.rows <= max_points])
    found = []
    for row in rows:
        which = (row.stage, row.seed, row.name)
        if which in short:
            found.append(Series(*which, len(short[which]), short[which]))
        else:
            found.append(metric_thinning.thinned(session, job_id, which, max_points, steps))
    return found


def _whole(session: Session, job_id: str, steps: tuple[int, int], wanted: Sequence[Key]) -> dict[Key, list[Point]]:
    """All points of these series."""
    if not wanted:
        return {}
    key = (Metric.stage, Metric.seed, Metric.name, Metric.step)
    query = (
        select(*key, Metric.epoch, Metric.value, Metric.attempt, Metric.time)
        .where(Metric.job_id == job_id, Metric.step.between(*steps), tuple_(*key[:3]).in_(wanted))
        .ext(distinct_on(*key))
        .order_by(*key, Metric.attempt.desc())
    )
    found: dict[Key, list[Point]] = {}
    for row in session.execute(query):
        point = Point(row.step, row.epoch, row.value, row.attempt, row.time)
        found.setdefault((row.stage, row.seed, row.name), []).append(point)
    return found


def every_point(session: Session, project_id: str, job_id: str) -> Iterator[tuple[Key, Point]]:
    """All points of all series, in order, read as they are needed. Raises NotFound."""
    get_job(session, project_id, job_id)
    key = (Metric.stage, Metric.seed, Metric.name, Metric.step)
    query = select(Metric).where(Metric.job_id == job_id).ext(distinct_on(*key)).order_by(*key, Metric.attempt.desc())
    columns = query.with_only_columns(*key, Metric.epoch, Metric.value, Metric.attempt, Metric.time)
    for row in session.execute(columns.execution_options(yield_per=2000)):
        yield (row.stage, row.seed, row.name), Point(row.step, row.epoch, row.value, row.attempt, row.time)


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
    return sorted(session.scalars(_NAMES, {"job_id": job_id}))


# Hops from one series to the next: a job has a few dozen of them, and points by the hundred thousand.
_NAMES = text("""
    WITH RECURSIVE found AS (
        (SELECT stage, seed, name FROM metrics WHERE job_id = :job_id ORDER BY stage, seed, name LIMIT 1)
        UNION ALL
        SELECT following.* FROM found CROSS JOIN LATERAL (
            SELECT stage, seed, name FROM metrics
            WHERE job_id = :job_id AND (stage, seed, name) > (found.stage, found.seed, found.name)
            ORDER BY stage, seed, name LIMIT 1
        ) AS following
    )
    SELECT DISTINCT name FROM found
""")


def count(session: Session, job_id: str) -> int:
    """How many values the job has reported."""
    return session.scalar(select(func.count()).select_from(Metric).where(Metric.job_id == job_id)) or 0
