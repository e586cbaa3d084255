"""What `dry_run` answers: the job as it would be, without making it."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from store.queues import Priority


class Choice(BaseModel):
    """A field of the spec that was left to the service.

    value: null where only the run itself will know; note: why it is this, or when it is known.
    """

    path: str
    value: Any
    note: str


class PlaceOut(BaseModel):
    """Where the job would wait."""

    device_class: str
    priority: Priority
    ahead: int = Field(description="Jobs that wait there with at least this priority; counted up to 1000.")
    workers: int = Field(description="Workers seen in the last minute that take from there.")
    device: Literal["cpu", "cuda"] | None = Field(description="What those compute on; null while none is there.")


class EstimateOut(BaseModel):
    """How long the run will take once a worker has it; seconds are of all seeds together.

    low, high: between which the total is expected.
    """

    total_seconds: float
    low_seconds: float
    high_seconds: float
    seconds: dict[Literal["teacher", "plain", "imitated"], float]
    around_seconds: float = Field(description="Pre-flight, export and report.")
    steps: int
    disk_bytes: int = Field(description="Of the worker's disk, at the fullest moment.")
    device: Literal["cpu", "cuda"]
    basis: Literal["past-jobs", "catalogue"]
    jobs: int = Field(description="How many past jobs it is drawn from.")
    sure: Literal["fair", "rough"]
    note: str


class DryRunOut(BaseModel):
    """The spec with all its defaults, what `auto` becomes, where it would wait and how long it takes.

    estimate: null when the data set's report does not say how many images it has.
    """

    spec: dict[str, Any]
    resolved: list[Choice]
    place: PlaceOut
    estimate: EstimateOut | None
