"""What the child says, gathered and written about once a second under the lease."""

import logging

from pydantic import ValidationError

from fgfi_core import events
from store import attempts
from store.attempts import NewMetric, Report
from store.database import AWAY, Sessions
from store.events import NewEvent
from store.leases import Lease, Pulse
from store.tables.base import Json
from worker import clock
from worker.patience import Patience

log = logging.getLogger(__name__)

MAX_UNREADABLE = 20


class Journal:
    """Turns events into reports. Files are another matter: `take` hands their events back.

    device, resolved, result, failure: what the child said of these, None before. patience: hears of every event.
    """

    def __init__(self, sessions: Sessions, lease: Lease, patience: Patience) -> None:
        self._sessions = sessions
        self._lease = lease
        self._patience = patience
        self._number = 1
        self._unreadable = 0
        self._events: list[NewEvent] = []
        self._metrics: list[NewMetric] = []
        self._fields: Json = {}
        self._unsent: Report | None = None
        self.device: str | None = None
        self.resolved: Json | None = None
        self.result: Json | None = None
        self.failure: events.RunFailed | None = None

    def take(self, line: bytes) -> events.CheckpointSaved | events.ArtifactWritten | None:
        """Read one line of the child's; returns it when it names a file to be stored."""
        try:
            event = events.parse(line)
        except ValidationError as error:
            self._note_unreadable(line, error)
            return None
        self._patience.note(event, clock.now())
        match event:
            case events.CheckpointSaved() | events.ArtifactWritten():
                return event
            case events.Metrics():
                self._metrics.extend(
                    NewMetric(event.stage, event.seed, name, event.step, event.epoch, value)
                    for name, value in event.values.items()
                )
                self._fields["step"] = event.step
            case events.Progress():
                self._fields |= {"progress": event.model_dump(exclude={"kind"}), "step": event.step}
            case events.SpecResolved():
                self.device, self.resolved = event.resolved.get("device"), event.resolved
                self._fields |= {"resolved": event.resolved, "device": self.device}
            case events.StageStarted():
                self._fields |= {"stage": event.stage, "step": event.step}
                self._add(event)
            case events.StageFinished() | events.Log():
                self._add(event)
            case events.RunFinished():
                self.result = event.result
            case events.RunFailed():
                self.failure = event
        return None

    def note(self, message: str, *, code: str = "", level: str = "warning") -> None:
        """Add a line of the supervisor's own to the job's log."""
        self._events.append(NewEvent("log", {"level": level, "message": message, "code": code}))

    def write(self) -> Pulse | None:
        """Write what was gathered; returns what the user wants. None: nothing to write, or the database is away.

        Raises LeaseLost. What could not be written is kept and sent again, under the same number.
        """
        if self._unsent is None and not (self._events or self._metrics or self._fields):
            return None
        if self._unsent is None:
            self._unsent = Report(self._number, tuple(self._events), tuple(self._metrics), **self._fields)
            self._number += 1
            self._events, self._metrics, self._fields = [], [], {}
        try:
            with self._sessions.begin() as session:
                pulse = attempts.write(session, self._lease, self._unsent)
        except AWAY as error:
            log.warning("report of job %s not written, trying again: %s", self._lease.job_id, error)
            return None
        self._unsent = None
        return pulse

    @property
    def is_empty(self) -> bool:
        """Whether all was written."""
        return self._unsent is None and not (self._events or self._metrics or self._fields)

    def _add(self, event: events.Event) -> None:
        self._events.append(NewEvent(event.kind, event.model_dump(mode="json", exclude={"kind"})))

    def _note_unreadable(self, line: bytes, error: ValidationError) -> None:
        self._unreadable += 1
        if self._unreadable <= MAX_UNREADABLE:
            log.warning("unreadable line of job %s: %r (%s)", self._lease.job_id, line[:200], error)
            self.note(f"The run wrote a line that is no event: {line[:200]!r}", code="unreadable_event")
