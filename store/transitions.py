"""A job's way through its states and stages, told from its events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from store import events
from store.states import HELD
from store.tables import JobEvent

KINDS = ("state", "stage_started")
MOST = 10_000


@dataclass(frozen=True)
class Transition:
    """One stretch of a job: its state, and its stage while somebody works on it.

    end: None for the last. message: why the state began; empty where only the stage did.
    """

    state: str
    stage: str | None
    start: datetime
    end: datetime | None
    message: str


def of_job(session: Session, project_id: str, job_id: str) -> list[Transition]:
    """The job's stretches, first to last. Raises NotFound."""
    return tell(events.events_after(session, project_id, job_id, kinds=KINDS, limit=MOST))


def tell(happened: Iterable[JobEvent]) -> list[Transition]:
    """Stretches from events in their order: each ends where the next begins."""
    told: list[Transition] = []
    for event in happened:
        before = told[-1] if told else None
        following = _following(before, event)
        if following is None:
            continue
        if before is not None:
            told[-1] = replace(before, end=event.time)
        told.append(following)
    return told


def _following(before: Transition | None, event: JobEvent) -> Transition | None:
    if event.kind == "state":
        state = event.data["to"]
        # Asked to stop, a run is still in its stage; a new attempt has yet to say where it begins.
        stage = before.stage if before is not None and state in HELD and before.state in HELD else None
        return Transition(state, stage, event.time, None, event.data.get("message", ""))
    if event.kind == "stage_started" and before is not None:
        return Transition(before.state, event.data["stage"], event.time, None, "")
    return None
