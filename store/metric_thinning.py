"""A long series thinned by the database itself: what a curve cannot show never leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

Key = tuple[str, int, str]
"""Stage, seed and name of a series."""

ALL_STEPS = (0, 2**62)


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


def thinned(session: Session, job_id: str, which: Key, max_points: int, steps: tuple[int, int] = ALL_STEPS) -> Series:
    """At most about `max_points` of a series: both ends, and the extremes of equal stretches of steps between them."""
    stage, seed, name = which
    parameters = {
        "job_id": job_id,
        "stage": stage,
        "seed": seed,
        "name": name,
        "from_step": steps[0],
        "to_step": steps[1],
        "stretches": max(1, (max_points - 2) // 2),
    }
    rows = session.execute(_THINNED, parameters).all()
    points = [Point(row.step, row.epoch, row.value, row.attempt, row.time) for row in rows]
    return Series(stage, seed, name, rows[0].total if rows else 0, points)


# Of several attempts at a step the newest counts. NaN is the largest number here, so that it is kept.
_THINNED = text("""
    WITH chosen AS MATERIALIZED (
        SELECT DISTINCT ON (step) step, epoch, value, attempt, time
        FROM metrics WHERE job_id = :job_id AND stage = :stage AND seed = :seed AND name = :name
            AND step BETWEEN :from_step AND :to_step
        ORDER BY step DESC, attempt DESC
    ), extent AS (
        SELECT min(step) AS first, max(step) AS last, count(*) AS total FROM chosen
    ), stretched AS (
        SELECT chosen.*, floor(CAST(step - first AS float8) / (last - first + 1) * :stretches) AS stretch
        FROM chosen CROSS JOIN extent
    ), extremes AS (
        SELECT stretch, min(value) AS low, max(value) AS high FROM stretched GROUP BY stretch
    ), kept AS (
        (SELECT DISTINCT ON (stretch, value) step, epoch, value, attempt, time
         FROM stretched JOIN extremes USING (stretch) WHERE value IN (low, high) ORDER BY stretch, value, step)
        UNION
        SELECT step, epoch, value, attempt, time FROM chosen, extent WHERE step IN (first, last)
    )
    SELECT kept.*, extent.total FROM kept CROSS JOIN extent ORDER BY step
""")
