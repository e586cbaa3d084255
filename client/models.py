"""What the service answers, as far as the client looks at it; fields it does not know are kept."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Trouble(_Answer):
    """Why a job failed or a data set was rejected, and what to do."""

    code: str = ""
    message: str = ""
    hint: str = ""


class Dataset(_Answer):
    """A data set; usable when its state is `ready`."""

    id: str
    name: str
    state: Literal["uploading", "checking", "ready", "rejected"]
    size: int | None = None
    progress: dict[str, int] | None = None
    report: dict[str, Any] | None = None
    error: Trouble | None = None
    created_at: datetime


class Thumbnail(_Answer):
    """A small picture of an image; boxes: {label, box}, xyxy in its pixels. Its bytes (WebP) are at `content`."""

    number: int
    image: str
    split: str
    width: int
    height: int
    boxes: tuple[dict[str, Any], ...]
    content: str


class Export(_Answer):
    """A data set in another format; its archive is at `content` once it is `ready`. report: what was lost, counted."""

    id: str
    dataset_id: str
    format: str
    state: Literal["queued", "running", "ready", "failed"]
    size: int | None = None
    sha256: str | None = None
    report: dict[str, Any] | None = None
    error: Trouble | None = None
    created_at: datetime
    expires_at: datetime | None = None
    content: str | None = None


class Part(_Answer):
    """A part of an upload that the service has."""

    number: int
    size: int


class Upload(_Answer):
    """An upload in parts. direct: the object store takes parts by links. dataset_id: once it is completed."""

    id: str
    state: Literal["open", "joining", "completed", "aborted", "expired"]
    size: int
    part_size: int
    parts: int
    direct: bool = False
    received: list[Part] = []
    dataset_id: str | None = None
    deduplicated: bool = False

    def size_of(self, number: int) -> int:
        """Bytes of part `number`, from 1; 0 for no part of it."""
        return max(0, min(self.part_size, self.size - (number - 1) * self.part_size))


class Model(_Answer):
    """Registered weights; a job can begin with them when the state is `ready`. classes: in order of the outputs."""

    id: str
    name: str
    state: Literal["uploading", "checking", "ready", "rejected"]
    detector: str
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    anchor_shapes: tuple[tuple[float, float], ...] = ()
    job_id: str | None = None
    role: str | None = None
    size: int | None = None
    sha256: str | None = None
    report: dict[str, Any] | None = None
    error: Trouble | None = None
    content: str
    created_at: datetime


class Scores(_Answer):
    """Best mAP at IoU 0.5 so far, fractions; None for what was not measured."""

    teacher: float | None = None
    plain: float | None = None
    imitated: float | None = None
    gap_closed: float | None = None


class Attempt(_Answer):
    """One worker's try at a job; `last_step` is a step of `last_stage`."""

    number: int
    device: str | None = None
    last_stage: str | None = None
    last_step: int | None = None
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    message: str | None = None


class Transition(_Answer):
    """One stretch of a job's way; `end` is None for the last, `stage` while nobody works on it."""

    state: str
    stage: str | None = None
    start: datetime
    end: datetime | None = None
    message: str = ""


class Job(_Answer):
    """A job, in a list or alone; `attempts` and `transitions` only when alone, `result` when also succeeded."""

    id: str
    name: str
    kind: str = "distillation"
    state: str
    stage: str | None = None
    progress: dict[str, Any] | None = None
    scores: Scores = Scores()
    dataset_id: str
    group_id: str | None = None
    arm: str | None = None
    priority: str = "normal"
    device_class: str = "any"
    error: Trouble | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: dict[str, Any] | None = None
    attempts: tuple[Attempt, ...] = ()
    transitions: tuple[Transition, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in TERMINAL


class Choice(_Answer):
    """A field that was left to the service: its value, None where only the run will know, and why."""

    path: str
    value: Any = None
    note: str = ""


class Place(_Answer):
    """Where a job would wait. ahead: jobs before it; workers: that take from there."""

    device_class: str
    priority: str
    ahead: int
    workers: int


class Estimate(_Answer):
    """Seconds a run will take, within a range, and bytes of disk. sure: fair or rough; note: what it comes from."""

    total_seconds: float
    low_seconds: float
    high_seconds: float
    seconds: dict[str, float]
    disk_bytes: int
    sure: str
    note: str


class DryRun(_Answer):
    """A job as it would be: its whole spec, what `auto` becomes, its place and its time."""

    spec: dict[str, Any]
    resolved: tuple[Choice, ...]
    place: Place
    estimate: Estimate | None = None


class Submitted(_Answer):
    """What became of one of several jobs: made, or the problem that kept it from it."""

    status: int
    job: Job | None = None
    problem: dict[str, Any] | None = None


class Gain(_Answer):
    """What imitation won, as fractions of mAP50; low, high: its 95 % interval over seeds, None with one."""

    differences: tuple[float, ...]
    mean: float
    low: float | None = None
    high: float | None = None


class Arm(_Answer):
    """One job of a group; `job_id` is None when it was deleted, `gain` until it is done."""

    label: str
    changes: dict[str, Any]
    job_id: str | None = None
    state: str | None = None
    scores: Scores = Scores()
    by_seed: dict[str, dict[int, float]] = {}
    gain: Gain | None = None


class Group(_Answer):
    """Jobs that are compared; `summary` has their standing when the group is read alone."""

    id: str
    name: str
    arms: int
    states: dict[str, int]
    over: bool
    created_at: datetime
    differs: tuple[str, ...] = ()
    fair: bool = True
    summary: tuple[Arm, ...] = ()


class Artifact(_Answer):
    """A file of a job; `facts` were measured on that very file."""

    id: str
    name: str
    format: str
    size: int
    sha256: str
    facts: dict[str, Any] = {}
    content: str


class Detector(_Answer):
    """An entry of the catalogue."""

    name: str
    family: str
    parameters: int
    multiply_adds: int
    reference_size: tuple[int, int]
    strides: tuple[int, ...]
    imagenet: str = ""
    weights_licence: str = ""
    description: str


class StreamEvent(_Answer):
    """One event of a job's stream. `sequence` is None for passing ones, such as progress, that are not replayed."""

    sequence: int | None = None
    kind: str
    data: dict[str, Any]


class Measured(_Answer):
    """The newest values of a stage's metrics, by name."""

    stage: str
    seed: int
    values: dict[str, float]


class Key(_Answer):
    """An API key. token: the key itself, in the answer that made it and never again."""

    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    token: str | None = None
