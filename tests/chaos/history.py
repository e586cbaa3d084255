"""What a client saw of its jobs, and nothing else: the material of the checker."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A job a client asks for. digest: the result of a run that nothing disturbed; None where it is not known.

    every: steps between two checkpoints. ends: `succeeded` or `failed`, unless the user cancels it.
    """

    key: str
    metadata: Json
    ends: str
    every: int
    digest: str | None


@dataclass
class JobHistory:
    """One acknowledged job.

    twins: ids that were answered to the same idempotency key. glances: state and last event, as they were seen one
    after the other. seen: events as they were read while it ran. answered: actions that were accepted, in order.
    asked: actions that were sent, accepted or not. At the end: job (None: not found), events, files with their content.
    """

    plan: Plan
    job_id: str
    twins: set[str] = field(default_factory=set)
    glances: list[tuple[str, int]] = field(default_factory=list)
    seen: list[Json] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    job: Json | None = None
    events: list[Json] = field(default_factory=list)
    files: list[tuple[Json, bytes]] = field(default_factory=list)
