"""The page of one job, in the parts that are renewed by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

import yaml

from api.dashboard.views.gap import Gap, gap
from api.dashboard.views.pace import Pace, pace
from api.dashboard.views.progress import TITLES, StageProgress, current, seconds_left, settled, whole
from api.dashboard.views.story import Stop, stops
from api.scores import Scores
from store.metrics import Series
from store.states import Action, after_action, is_terminal
from store.tables import Dataset, Job, JobEvent


@dataclass(frozen=True)
class Trouble:
    """Why a job failed, and what to do."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class Top:
    """Header, headline and stages."""

    id: str
    name: str
    state: str
    over: bool
    can: frozenset[Action]
    teacher: str
    student: str
    method: str
    seeds: int
    dataset: str
    created_at: datetime
    seconds: float | None
    device: str
    fraction: float
    stage: str
    done_at: datetime | None
    now: StageProgress | None
    stops: tuple[Stop, ...]
    scores: Scores
    gap: Gap | None
    settled: bool
    pace: Pace | None
    trouble: Trouble | None


def top(
    job: Job,
    dataset: Dataset | None,
    events: Sequence[JobEvent],
    best: Mapping[str, float],
    accuracy: Sequence[Series],
) -> Top:
    """Put the upper part together. `dataset` is None when it was deleted; accuracy: the series of val/map50."""
    scores = Scores.of(best)
    left = seconds_left(job)
    ran = job.started_at is not None
    end = job.finished_at or (job.updated_at if ran else None)
    return Top(
        id=job.id,
        name=job.name,
        state=job.state,
        over=is_terminal(job.state),
        can=frozenset(one for one in get_args(Action) if after_action(one, job.state) not in {None, job.state}),
        # A job that only measures has a model in the place of all these.
        teacher="" if job.kind == "evaluation" else job.spec["teacher"]["detector"],
        student=job.spec["model"] if job.kind == "evaluation" else job.spec["student"]["detector"],
        method="measured alone" if job.kind == "evaluation" else job.spec["method"]["name"],
        seeds=len(job.spec.get("seeds", [0])),
        dataset=dataset.name if dataset else "deleted data set",
        created_at=job.created_at,
        seconds=(end - job.started_at).total_seconds() if end and job.started_at else None,
        device=str((job.resolved or {}).get("device", "")),
        fraction=whole(job),
        stage=TITLES.get(job.stage or "", ""),
        done_at=job.updated_at + timedelta(seconds=left) if left is not None else None,
        now=current(job),
        stops=tuple(stops(job, events)),
        scores=scores,
        gap=gap(scores),
        settled=settled(job),
        pace=pace(accuracy),
        trouble=Trouble(job.error["code"], job.error["message"], job.error.get("hint", "")) if job.error else None,
    )


def spec_text(job: Job) -> str:
    """The spec as a file that can be submitted again."""
    return yaml.safe_dump(job.spec, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
