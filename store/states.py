"""The states of a job and every legal move between them, as data.

The migrations hold the same table as a database trigger; a test compares the two pair by pair. A terminal state is
final for whatever works on a job: only its user can take up a failed or cancelled one again, by a retry.
"""

from typing import Literal, cast

JobState = Literal["queued", "running", "cancelling", "pausing", "paused", "succeeded", "failed", "cancelled"]
JobKind = Literal["distillation", "evaluation"]
DatasetState = Literal["uploading", "checking", "ready", "rejected"]
ModelState = DatasetState
ExportFormat = Literal["voc", "coco", "kitti", "yolo"]
ExportState = Literal["queued", "running", "ready", "failed"]
Action = Literal["cancel", "pause", "resume", "retry"]
Ending = Literal["succeeded", "failed", "stopped", "lost"]

JOB_STATES: tuple[JobState, ...] = (
    "queued",
    "running",
    "cancelling",
    "pausing",
    "paused",
    "succeeded",
    "failed",
    "cancelled",
)
TERMINAL: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})
HELD: frozenset[JobState] = frozenset({"running", "cancelling", "pausing"})
"""States in which an attempt holds the job."""

MOVES: frozenset[tuple[JobState, JobState]] = frozenset(
    {
        ("queued", "running"),
        ("queued", "paused"),
        ("queued", "cancelled"),
        ("running", "succeeded"),
        ("running", "failed"),
        ("running", "queued"),
        ("running", "cancelling"),
        ("running", "pausing"),
        ("pausing", "succeeded"),
        ("pausing", "failed"),
        ("pausing", "paused"),
        ("pausing", "cancelling"),
        ("cancelling", "cancelled"),
        ("paused", "queued"),
        ("paused", "cancelled"),
        ("failed", "queued"),
        ("cancelled", "queued"),
    }
)

DATASET_STATES: tuple[DatasetState, ...] = ("uploading", "checking", "ready", "rejected")
MODEL_STATES: tuple[ModelState, ...] = DATASET_STATES

# What a user's action makes of a state; a missing pair is refused (409). Repeating an action is fine.
_ACTIONS: dict[tuple[Action, JobState], JobState] = {
    ("cancel", "queued"): "cancelled",
    ("cancel", "running"): "cancelling",
    ("cancel", "pausing"): "cancelling",
    ("cancel", "paused"): "cancelled",
    ("cancel", "cancelling"): "cancelling",
    ("cancel", "cancelled"): "cancelled",
    ("pause", "queued"): "paused",
    ("pause", "running"): "pausing",
    ("pause", "pausing"): "pausing",
    ("pause", "paused"): "paused",
    ("resume", "paused"): "queued",
    ("retry", "failed"): "queued",
    ("retry", "cancelled"): "queued",
}

# What the end of an attempt makes of a job. An acknowledged cancellation always ends as cancelled. A paused job whose
# attempt is lost rests where its last checkpoint is; one whose work was complete, or hopeless, says so.
_ENDINGS: dict[tuple[JobState, Ending], JobState] = {
    ("running", "succeeded"): "succeeded",
    ("running", "failed"): "failed",
    ("running", "stopped"): "queued",
    ("running", "lost"): "queued",
    ("pausing", "succeeded"): "succeeded",
    ("pausing", "failed"): "failed",
    ("pausing", "stopped"): "paused",
    ("pausing", "lost"): "paused",
    ("cancelling", "succeeded"): "cancelled",
    ("cancelling", "failed"): "cancelled",
    ("cancelling", "stopped"): "cancelled",
    ("cancelling", "lost"): "cancelled",
}


def after_action(action: Action, state: str) -> JobState | None:
    """The state an action leads to; None when it is refused. The same state means there is nothing to do."""
    return _ACTIONS.get((action, cast("JobState", state)))


def after_ending(state: str, ending: Ending) -> JobState:
    """The state the end of an attempt leads to. Raises KeyError when no attempt can be live in this state."""
    return _ENDINGS[(cast("JobState", state), ending)]


def is_terminal(state: str) -> bool:
    """Whether nothing works on the job, nor will."""
    return state in TERMINAL
