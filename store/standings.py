"""How teacher, plain and imitated student stand so far: one number a stage, cheap enough for a list of jobs."""

import math
from collections.abc import Mapping, Sequence

from sqlalchemy import Subquery, func, literal, select
from sqlalchemy.orm import Session

from store.tables import Metric

ACCURACY = "val/map50"


def best_accuracy(session: Session, job_ids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """Of each job and stage the best mAP at IoU 0.5 so far, as the mean over seeds. The caller owns the job ids."""
    if not job_ids:
        return {}
    best = _best(job_ids)
    query = select(best.c.job_id, best.c.stage, func.avg(best.c.value)).group_by(best.c.job_id, best.c.stage)
    found: dict[str, dict[str, float]] = {}
    for job_id, stage, value in session.execute(query):
        found.setdefault(job_id, {})[stage] = value
    return found


def best_by_seed(session: Session, job_ids: Sequence[str]) -> Mapping[str, Mapping[str, Mapping[int, float]]]:
    """The same for each seed: job, stage, seed. The caller owns the job ids."""
    if not job_ids:
        return {}
    best = _best(job_ids)
    found: dict[str, dict[str, dict[int, float]]] = {}
    for job_id, stage, seed, value in session.execute(select(best).order_by(best.c.seed)):
        found.setdefault(job_id, {}).setdefault(stage, {})[seed] = value
    return found


def _best(job_ids: Sequence[str]) -> Subquery:
    return (
        select(Metric.job_id, Metric.stage, Metric.seed, func.max(Metric.value).label("value"))
        # PostgreSQL sorts NaN above every number: a diverged evaluation must not be the best one.
        .where(Metric.job_id.in_(job_ids), Metric.name == ACCURACY, Metric.value != literal(math.nan))
        .group_by(Metric.job_id, Metric.stage, Metric.seed)
        .subquery()
    )
