"""Jobs as the API shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from api.scores import Scores
from store.queues import Priority, class_of, priority_name
from store.states import JobKind, JobState
from store.tables import Attempt, Job, JobEvent
from store.transitions import Transition

LAST_OUTPUT = 4096


class AttemptOut(BaseModel):
    """One worker's try at the job, and why it ended."""

    number: int
    worker_id: str
    device: str | None
    last_stage: str | None
    last_step: int | None
    resumed_from: list[dict[str, Any]] | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str | None
    exit_code: int | None
    micro_batch: int | None
    message: str | None
    last_output: str | None

    @classmethod
    def of(cls, row: Attempt) -> "AttemptOut":
        """From its row; of the output the last lines, and only where something broke."""
        shown = row.log_tail if row.outcome in {"lost", "failed"} else None
        names = cls.model_fields.keys() - {"last_output"}
        return cls(**{name: getattr(row, name) for name in names}, last_output=shown and shown[-LAST_OUTPUT:])


class TransitionOut(BaseModel):
    """One stretch of the job's way: its state, and its stage while somebody works on it. `end`: null for the last."""

    state: JobState
    stage: str | None
    start: datetime
    end: datetime | None
    message: str


class JobSummary(BaseModel):
    """A job in a list. `scores` are the best mAP at IoU 0.5 so far, as fractions.

    group_id, arm: the comparison that it belongs to, and its label there.
    """

    id: str
    name: str
    kind: JobKind
    state: JobState
    stage: str | None
    progress: dict[str, Any] | None
    scores: Scores
    dataset_id: str
    group_id: str | None
    arm: str | None
    priority: Priority
    device_class: str
    metadata: dict[str, Any]
    error: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Job, best: Mapping[str, float]) -> "JobSummary":
        """From its row and the best accuracy of each stage."""
        return cls(**_fields(row, best))


class JobOut(JobSummary):
    """A job in full."""

    spec: dict[str, Any]
    resolved: dict[str, Any] | None
    result: dict[str, Any] | None
    attempts: list[AttemptOut]
    transitions: list[TransitionOut]
    last_event: int

    @classmethod
    def whole(
        cls, row: Job, best: Mapping[str, float], attempts: Sequence[Attempt], transitions: Sequence[Transition]
    ) -> "JobOut":
        """From its row, the best accuracy of each stage, its attempts and its way so far."""
        return cls(
            **_fields(row, best),
            spec=row.spec,
            resolved=row.resolved,
            result=row.result,
            attempts=[AttemptOut.of(attempt) for attempt in attempts],
            transitions=[TransitionOut.model_validate(one, from_attributes=True) for one in transitions],
            last_event=row.last_sequence,
        )


class EventOut(BaseModel):
    """One thing that happened to a job. Sequences rise from 1 without gaps."""

    sequence: int
    attempt: int
    kind: str
    data: dict[str, Any]
    time: datetime

    @classmethod
    def of(cls, row: JobEvent) -> "EventOut":
        """From its row."""
        return cls.model_validate(row, from_attributes=True)


class EventsOut(BaseModel):
    """Events in order. When `has_more`, ask again with `after` set to the last sequence."""

    data: list[EventOut]
    has_more: bool


class SeriesOut(BaseModel):
    """One metric over the steps of one stage and seed: four columns of equal length.

    seconds: since the job began to run, pauses included, when the value was written. values: null where the value was
    not finite. total: how many points there were before thinning.
    """

    stage: str
    role: Literal["teacher", "plain", "imitated"] | None
    seed: int
    name: str
    total: int
    steps: list[int]
    epochs: list[float]
    seconds: list[float]
    values: list[float | None]


class MetricsOut(BaseModel):
    """The series asked for, and the names of all there are."""

    names: list[str]
    series: list[SeriesOut]


def _fields(row: Job, best: Mapping[str, float]) -> dict[str, Any]:
    made = {
        "metadata": row.meta,
        "scores": Scores.of(best),
        "priority": priority_name(row.priority),
        "device_class": class_of(row.queue),
    }
    return {name: getattr(row, name) for name in JobSummary.model_fields.keys() - made.keys()} | made
