"""What jobs should be: the model that `machine.py` holds the database to."""

from collections import Counter
from dataclasses import dataclass, field

from store.attempts import Budget, Trace
from store.checkpoints import KEPT
from store.leases import Claim, Lease
from store.states import HELD, TERMINAL, Action, Ending, after_ending

LEASE = 75.0
# Half of what a lease and no multiple of what a back-off lasts: nothing here ends just when it is looked at.
HOP = 50.0
BUDGET = Budget(losses=2, poison=2, backoff=15, backoff_limit=60)
TRACE = Trace("because")
ERROR = {"code": "c", "message": "m", "hint": ""}
# A success comes last: nothing comes after it.
FINISHES = ("fail", "stop", "lose", "shrink", "succeed")
WRITES = ("report", "repeat", "resumed", "checkpoint", "artifact", *FINISHES)


@dataclass
class Held:
    """A lease as it was given, and what its holder knows."""

    lease: Lease
    left: float = LEASE
    reports: int = 0
    over: bool = False


@dataclass
class Life:
    """What a job should be. available: seconds until it may be claimed. messages: how often it was announced."""

    id: str
    seen: Counter[str]
    state: str = "queued"
    attempt: int = 0
    losses: int = 0
    suspicion: int = 0
    memory_retries: int = 0
    available: float = 0.0
    events: int = 1
    messages: int = 1
    keys: int = 0
    steps: list[int] = field(default_factory=list)
    outcomes: list[str | None] = field(default_factory=list)
    error: str | None = None
    held: Held | None = None

    @property
    def due(self) -> bool:
        return self.state == "queued" and self.available <= 0

    @property
    def lease(self) -> Held | None:
        """The lease that holds it, while it has not run out."""
        return self.held if self.held is not None and self.held.left > 0 else None

    def taken(self, claim: Claim) -> Held:
        """It was claimed; returns the lease."""
        self.attempt += 1
        assert (claim.lease.attempt, claim.job.state) == (self.attempt, "running")
        self.state = "running"
        self.events += 1
        self.outcomes.append(None)
        self.held = Held(claim.lease)
        return self.held

    def acted(self, action: Action, after: str) -> None:
        """Its user did something that changed its state."""
        if action == "cancel" and self.state == "pausing":
            self.seen["cancelled while pausing"] += 1
        if action in {"resume", "retry"}:
            self.available = 0.0
            self.messages += 1
            self.seen["resumed" if action == "resume" else "retried"] += 1
        if action == "retry":
            self.losses = self.suspicion = self.memory_retries = 0
            self.error = None
        self.state = after
        self.events += 1

    def wrote(self, held: Held, what: str) -> None:
        """What an accepted write makes of a job."""
        if what in FINISHES and self.state != "running":
            self.seen[f"{self.state}, then {what}"] += 1
        if what in {"report", "repeat"}:
            if what == "repeat" and held.reports:
                self.seen["report sent again"] += 1
                return
            held.reports += 1
            self.events += 1
        elif what in {"checkpoint", "artifact"}:
            self.keys += 1
            self.events += 1
            if what == "checkpoint":
                self.steps.append(len(self.steps) + 1)
                self.suspicion = 0
        elif what == "lose":
            self.lost()
        elif what == "shrink" and self.memory_retries == 0:
            self.memory_retries = 1
            self._end("lost")
        elif what in FINISHES:
            if what == "shrink":
                self.seen["memory ran out twice"] += 1
            ending: dict[str, Ending] = {"succeed": "succeeded", "stop": "stopped"}
            self._end(ending.get(what, "failed"), error="c")

    def lost(self) -> None:
        self.losses += 1
        self.suspicion += 1
        if self.state == "running" and self.suspicion >= BUDGET.poison:
            self.seen["failed as poison"] += 1
            self._end("failed", error="poison")
        elif self.state == "running" and self.losses > BUDGET.losses:
            self.seen["failed as infrastructure_lost"] += 1
            self._end("failed", error="infrastructure_lost")
        else:
            self._end("lost", wait=min(15.0 * 2 ** (self.losses - 1), 60.0))

    def _end(self, ending: Ending, *, wait: float = 0.0, error: str | None = None) -> None:
        assert self.held is not None
        self.held.over = True
        self.held = None
        self.outcomes[-1] = ending
        self.state = after_ending(self.state, ending)
        self.events += 1
        self.error = error if self.state == "failed" else None
        if self.state == "queued":
            self.available = wait
            self.messages += 1

    def row(self) -> tuple[object, ...]:
        """Among others: one live attempt where the job is held and none elsewhere, ends that stay, no event missing."""
        succeeded = {"attempt": self.attempt} if self.state == "succeeded" else None
        numbered = list(enumerate(self.outcomes, start=1))
        live = [self.attempt] if self.state in HELD else []
        return (
            self.state,
            self.attempt,
            (self.losses, self.suspicion, self.memory_retries),
            succeeded,
            self.error,
            self.state in TERMINAL,
            numbered,
            live,
            (self.events, self.events, self.events),
            self.messages,
            self.steps[-KEPT:],
        )
