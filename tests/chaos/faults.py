"""What is done to the service: each fault begins at once, and is taken back where it does not pass by itself."""

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil
import psycopg
from redis import RedisError

from tests.chaos.stack import LEASE_SECONDS, STEWARDS, WORKERS, Stack

Undo = Callable[[], None]


@dataclass(frozen=True)
class Fault:
    """weight: how often, beside the others. seconds: how long until `undo`."""

    name: str
    weight: int
    begin: Callable[[Stack, random.Random], Undo | None]
    seconds: float = 0.0


def _signal(names: tuple[str, ...], number: signal.Signals) -> Callable[[Stack, random.Random], Undo | None]:
    def begin(stack: Stack, chance: random.Random) -> Undo | None:
        name = chance.choice(names)
        stack.signal(name, number)
        return (lambda: stack.signal(name, signal.SIGCONT)) if number == signal.SIGSTOP else None

    return begin


def _child(number: signal.Signals) -> Callable[[Stack, random.Random], Undo | None]:
    def begin(stack: Stack, chance: random.Random) -> Undo | None:
        children = [child for name in WORKERS for child in stack.children_of(name)]
        if children:
            child = chance.choice(children)
            with suppress(psutil.NoSuchProcess):
                child.send_signal(number)
        return None

    return begin


def _flush(stack: Stack, _: random.Random) -> Undo | None:
    with suppress(RedisError), stack.broker() as broker:
        broker.flushall()
    return None


def _old_hints(stack: Stack, _: random.Random) -> Undo | None:
    """Bring every hint that waits twice more, and those remembered from before, whatever became of their jobs."""
    with suppress(RedisError), stack.broker() as broker:
        waiting = broker.lrange("jobs", 0, -1)
        stack.old_hints = [*stack.old_hints, *waiting][-20:]
        for hint in [*waiting, *stack.old_hints]:
            broker.rpush("jobs", hint)
    return None


def _store(fault: str) -> Callable[[Stack, random.Random], Undo | None]:
    def begin(stack: Stack, _: random.Random) -> Undo | None:
        stack.store_switch.write_text(fault)
        return lambda: stack.store_switch.unlink(missing_ok=True)

    return begin


def _cut_connections(stack: Stack, _: random.Random) -> Undo | None:
    """End every connection of the database, the stewards' lock with it: for a moment two of them work."""
    everyone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with suppress(psycopg.Error), psycopg.connect(stack.postgres.url, connect_timeout=2) as connection:
        connection.execute(f"{everyone} AND application_name LIKE 'fgfi%'")
    return None


KILL, TERM, STOP = signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP
# Longer than a lease, so that another has the job by the time it wakes.
ASLEEP = LEASE_SECONDS + 2

FAULTS = [
    Fault("worker SIGKILL", 2, _signal(WORKERS, KILL)),
    Fault("worker SIGTERM", 2, _signal(WORKERS, TERM)),
    Fault("worker SIGSTOP past its lease", 2, _signal(WORKERS, STOP), ASLEEP),
    Fault("child SIGKILL", 4, _child(KILL)),
    Fault("child SIGTERM", 2, _child(TERM)),
    Fault("child SIGSTOP for ever", 1, _child(STOP)),
    Fault("steward SIGKILL", 2, _signal(STEWARDS, KILL)),
    Fault("steward SIGTERM", 1, _signal(STEWARDS, TERM)),
    Fault("steward SIGSTOP", 1, _signal(STEWARDS, STOP), 3),
    Fault("API SIGKILL", 1, _signal(("api",), KILL)),
    Fault("API SIGTERM", 1, _signal(("api",), TERM)),
    Fault("API SIGSTOP", 1, _signal(("api",), STOP), 2),
    Fault("Redis FLUSHALL", 3, _flush),
    Fault("Redis SIGKILL and restart", 2, _signal(("redis",), KILL)),
    Fault("Redis SIGSTOP", 1, _signal(("redis",), STOP), 3),
    Fault("old messages twice more", 3, _old_hints),
    Fault("PostgreSQL SIGINT and restart", 1, _signal(("postgres",), signal.SIGINT)),
    Fault("PostgreSQL SIGKILL and recovery", 1, _signal(("postgres",), KILL)),
    Fault("PostgreSQL SIGSTOP past the leases", 1, _signal(("postgres",), STOP), ASLEEP),
    Fault("all connections of PostgreSQL cut", 2, _cut_connections),
    Fault("object store fails", 2, _store("fail"), 3),
    Fault("object store slow", 1, _store("slow"), 3),
    Fault("object store cuts off", 2, _store("cut"), 3),
    Fault("object store keeps half and says it is all", 2, _store("lie"), 3),
]


@dataclass
class Chaos:
    """Does faults one after the other, as its seed says, until it is asked to take the last ones back."""

    stack: Stack
    chance: random.Random
    say: Callable[[str], None]
    count: int = 0
    store_windows: list[tuple[datetime, datetime]] = field(default_factory=list)
    _undo: list[tuple[float, Undo]] = field(default_factory=list)
    _deck: list[Fault] = field(default_factory=list)

    def step(self) -> None:
        """Begin one more fault. Of a full deck each comes as often as it weighs, in an order by chance."""
        if not self._deck:
            self._deck = [fault for fault in FAULTS for _ in range(fault.weight)]
            self.chance.shuffle(self._deck)
        fault = self._deck.pop()
        self.say(fault.name)
        undo = fault.begin(self.stack, self.chance)
        self.count += 1
        if "object store" in fault.name:
            # A failing upload is tried again for some seconds more.
            now = datetime.now(UTC)
            self.store_windows.append((now, datetime.fromtimestamp(now.timestamp() + fault.seconds + 8, UTC)))
        if undo is not None:
            self._undo.append((time.monotonic() + fault.seconds, undo))

    def pass_time(self, seconds: float) -> None:
        """Let time go by: end what has lasted long enough, start again what has died."""
        until = time.monotonic() + seconds
        while True:
            due = [undo for at, undo in self._undo if at <= time.monotonic()]
            self._undo = [(at, undo) for at, undo in self._undo if at > time.monotonic()]
            for undo in due:
                undo()
            self.stack.mend()
            if time.monotonic() >= until:
                return
            time.sleep(0.05)

    def calm(self) -> None:
        """Take everything back."""
        for _, undo in self._undo:
            undo()
        self._undo = []
        self.stack.mend()
