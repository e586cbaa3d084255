"""Groups: jobs that are compared."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.scores import Role, Scores
from fgfi_core.spec import JobSpec
from store.queues import Priority
from store.states import JobState
from store.tables import Group

MOST_ARMS = 64

Changes = Annotated[
    dict[str, Any],
    Field(
        description="What this arm's spec has differently from the base, as a JSON merge patch (RFC 7396); {} is the "
        "base itself.",
        examples=[{"method": {"threshold": 0.3}}],
    ),
]


class VariantIn(BaseModel):
    """One arm. label: unique in the group; default: what changes, such as `method.threshold=0.3`."""

    model_config = ConfigDict(extra="forbid")

    label: str | None = Field(None, min_length=1, max_length=100)
    changes: Changes


class GroupIn(BaseModel):
    """A comparison: a job for each variant of one base. Seeds are the base's, so that arms can be paired by seed."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=150)
    base: JobSpec
    variants: list[VariantIn] = Field(min_length=1, max_length=MOST_ARMS)
    priority: Priority = "normal"
    device_class: str | None = None


class VariantOut(BaseModel):
    """An arm as it was asked for."""

    label: str
    changes: dict[str, Any]


class GainOut(BaseModel):
    """What imitation won over the plain student, by seed; the mean's 95 % interval where there are two seeds."""

    differences: list[float]
    mean: float
    low: float | None
    high: float | None


class ArmOut(BaseModel):
    """One job of the group. Accuracies are mAP at IoU 0.5, best so far: `scores` means over seeds, `by_seed` each.

    job_id: null for a job that was deleted. gain: once the job is done, where both students were trained.
    """

    label: str
    changes: dict[str, Any]
    job_id: str | None
    state: JobState | None
    stage: str | None
    progress: dict[str, Any] | None
    student: str | None
    method: str | None
    scores: Scores
    by_seed: dict[Role, dict[int, float]]
    gain: GainOut | None
    error: dict[str, Any] | None
    finished_at: datetime | None


class GroupSummary(BaseModel):
    """A group in a list. states: how many of its jobs are in each state that occurs. over: all have ended."""

    id: str
    name: str
    arms: int
    states: dict[JobState, int]
    over: bool
    created_at: datetime


class GroupOut(GroupSummary):
    """A comparison with the standing of every arm.

    differs: fields of the spec in which the arms differ. fair: all of them measure alike, on the same split of the same
    data with the same seeds.
    """

    base: dict[str, Any]
    differs: list[str]
    fair: bool
    summary: list[ArmOut]


def variants_of(group: Group) -> list[VariantOut]:
    """As they were asked for."""
    return [VariantOut(**variant) for variant in group.variants]


def gain_of(result: Mapping[str, Any] | None) -> GainOut | None:
    """As a finished job measured it."""
    gain = (result or {}).get("gain")
    return GainOut(**{name: gain.get(name) for name in GainOut.model_fields}) if gain else None
