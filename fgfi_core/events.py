"""What a run tells its caller while it works: a closed set of typed events, one JSON line each.

`fgfi_core.run` hands them to `on_event`; `worker/runner.py` writes them to its pipe; `worker/supervisor.py` stores
them; `fgfi train` draws them. Paths are relative to the run's output folder, with forward slashes.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from fgfi_core.spec import Stage


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpecResolved(_Event):
    """Every `auto` of the spec has become a value (batch size, learning rate, anchors, device, precision)."""

    kind: Literal["spec_resolved"] = "spec_resolved"
    resolved: dict[str, Any]


class StageStarted(_Event):
    """A stage begins, or continues from `step` after an interruption."""

    kind: Literal["stage_started"] = "stage_started"
    stage: Stage
    seed: int
    step: int = 0
    steps: int | None = None


class Progress(_Event):
    """How far the stage is; sent at most about twice a second."""

    kind: Literal["progress"] = "progress"
    stage: Stage
    seed: int
    step: int
    steps: int
    epoch: int
    epochs: int
    images_per_second: float
    eta_seconds: float


class Metrics(_Event):
    """Values of a step: `loss`, `loss/<term>`, `grad_norm`, `learning_rate`, `val/map50`, `val/ap50/<class>` and such.

    `loss` is the detection loss, the sum of its terms; `loss/imitation` stands beside it, before its weight.
    """

    kind: Literal["metrics"] = "metrics"
    stage: Stage
    seed: int
    step: int
    epoch: float
    values: dict[str, float]


class CheckpointSaved(_Event):
    """A checkpoint file is complete on disk. `final` marks the result of a finished stage, which later stages need."""

    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    stage: Stage
    seed: int
    step: int
    final: bool
    path: str
    size: int
    sha256: str


class StageFinished(_Event):
    """A stage is done; `summary` holds its headline numbers (for instance `map50`)."""

    kind: Literal["stage_finished"] = "stage_finished"
    stage: Stage
    seed: int
    seconds: float
    summary: dict[str, float]


class ArtifactWritten(_Event):
    """A file the user may want: an export, the report, a picture. `facts` holds what was measured on that very file."""

    kind: Literal["artifact_written"] = "artifact_written"
    name: str
    format: str
    path: str
    media_type: str
    size: int
    sha256: str
    facts: dict[str, float | str | bool]


class Log(_Event):
    """A line for the person who reads the job's log; `code` names a known condition."""

    kind: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"]
    message: str
    code: str = ""


class RunFinished(_Event):
    """The run is complete; `result` is `fgfi_core.results.JobResult` as JSON, also in `result.json`."""

    kind: Literal["run_finished"] = "run_finished"
    result: dict[str, Any]


class RunFailed(_Event):
    """The run stopped with an error the user can act on."""

    kind: Literal["run_failed"] = "run_failed"
    code: str
    message: str
    hint: str


Event = Annotated[
    SpecResolved
    | StageStarted
    | Progress
    | Metrics
    | CheckpointSaved
    | StageFinished
    | ArtifactWritten
    | Log
    | RunFinished
    | RunFailed,
    Field(discriminator="kind"),
]

_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def parse(line: str | bytes) -> Event:
    """Read one JSON line. Raises `pydantic.ValidationError` when it is not an event."""
    return _adapter.validate_json(line)
