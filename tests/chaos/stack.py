"""The whole service as real processes that may be stopped, killed and started again, each by its name."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from redis import Redis

from embedded.access import Access
from embedded.ports import free_port
from embedded.postgres import PostgresServer
from embedded.processes import Part, Process
from embedded.redis import RedisServer

LEASE_SECONDS = 4.0
SETTINGS = {
    "FGFI_SECRET_KEY": "chaos-needs-a-secret-of-some-length-too",
    "FGFI_ENVIRONMENT": "development",
    "FGFI_LEASE_SECONDS": str(LEASE_SECONDS),
    "FGFI_HEARTBEAT_SECONDS": "1",
    "FGFI_STEWARD_SECONDS": "0.2",
    "FGFI_REPUBLISH_SECONDS": "3",
    "FGFI_BACKOFF_SECONDS": "0.2",
    "FGFI_BACKOFF_LIMIT_SECONDS": "1",
    # Whoever breaks things all the time must not count them.
    "FGFI_LOSS_BUDGET": "1000",
    "FGFI_POISON_LOSSES": "1000",
    "FGFI_STOP_GRACE_SECONDS": "5",
    "FGFI_CANCEL_GRACE_SECONDS": "2",
    "FGFI_HUNG_SECONDS": "8",
    "FGFI_WORKER_SPARE": "false",
    "FGFI_WORKER_THREADS": "1",
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
}
WORKERS = ("worker-1", "worker-2")
STEWARDS = ("steward-1", "steward-2")


@dataclass
class _Running:
    part: Part
    process: Process


@dataclass
class Stack:
    """PostgreSQL, Redis, API, two stewards and two workers below one folder. Each output goes to `NAME.log`."""

    folder: Path
    old_hints: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.postgres = PostgresServer(self.folder / "postgres")
        self.redis = RedisServer(self.folder / "redis")
        self.port = free_port()
        self.store_switch = self.folder / "store-fault"
        self._running: dict[str, _Running] = {}
        self._lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **SETTINGS,
            "FGFI_DATABASE_URL": self.postgres.url,
            "FGFI_REDIS_URL": self.redis.url,
            "FGFI_STORAGE_URL": (self.folder / "objects").as_uri(),
            "FGFI_PUBLIC_URL": self.url,
        }

    def start(self, names: tuple[str, ...] = (*WORKERS, *STEWARDS)) -> str:
        """Start everything; returns an API key."""
        for name in ("postgres", "redis"):
            self.begin(name)
        self.migrate()
        access = Access(self.environment)
        key = access.key_for_this_machine(None)
        access.close()
        for name in ("api", *names):
            self.begin(name)
        return key

    def migrate(self) -> None:
        """Bring the tables to this version, as each start of the service does."""
        access = Access(self.environment)
        access.migrate()
        access.close()

    def begin(self, name: str) -> None:
        """Start a part, and wait until it answers where it can be asked."""
        ready = self._ready(name)
        with self._lock:
            part = self._part(name)
            running = _Running(part, Process(part, self._write))
            self._running[name] = running
        if ready is not None:
            running.process.wait_ready(ready, 60)

    def stop_part(self, name: str) -> None:
        """Ask a part to end, and wait for it."""
        self._running[name].process.stop()

    def ended(self) -> set[str]:
        """The parts that do not run any more."""
        with self._lock:
            return {name for name, one in self._running.items() if one.process.exit_code() is not None}

    def mend(self) -> None:
        """Start again what has ended, as whatever runs the parts would."""
        for name in sorted(self.ended()):
            self._running[name].process.kill()
            self.begin(name)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part: SIGKILL to all its processes, and SIGSTOP of a server, too; else to the first."""
        with self._lock:
            running = self._running[name]
        whole = name in {"postgres", "redis"} and number in {signal.SIGSTOP, signal.SIGCONT}
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(running.process.pid)
            for one in [*(process.children(recursive=True) if whole else []), process]:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(number)

    def children_of(self, name: str) -> list[psutil.Process]:
        """The trainings below a worker."""
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._running[name].process.pid).children())
        return []

    def broker(self) -> "Redis":
        return Redis.from_url(self.redis.url, socket_timeout=2, socket_connect_timeout=2)

    def stop(self) -> None:
        """End everything, the last started first."""
        for name in reversed(list(self._running)):
            self.signal(name, signal.SIGCONT)
            process = self._running[name].process
            process.stop() if name in {"postgres", "redis"} else process.kill()

    def _part(self, name: str) -> Part:
        if name == "postgres":
            return self.postgres.prepare()
        if name == "redis":
            return self.redis.prepare()
        kind = name.partition("-")[0]
        words = {"api": [str(self.port)], "steward": [], "worker": [name]}[kind]
        more = {
            "FGFI_WORKER_CACHE": str(self.folder / "cache" / name),
            "CHAOS_STORE": str(self.store_switch),
            # A machine of its own whose clocks are an hour ahead; a steward that stutters.
            "CHAOS_CLOCK": "3600" if name == "worker-2" else "",
            "CHAOS_TWICE": "1" if name == "steward-2" else "",
        }
        environment = {**self.environment, **more, "OMP_NUM_THREADS": "1"}
        return Part.python(name, "tests.chaos.part", kind, *words, environment=environment, folder=self.folder)

    def _ready(self, name: str) -> Callable[[], bool] | None:
        asks = {"postgres": self.postgres.ready, "redis": self.redis.ready, "api": self._answers}
        return asks.get(name)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1.0).is_success
        except httpx.TransportError:
            return False

    def _write(self, part: str, line: str) -> None:
        with (self.folder / f"{part}.log").open("a") as file:
            file.write(f"{line}{os.linesep}")
