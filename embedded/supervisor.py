"""Keeps the parts running: starts them in order, starts a crashed one again, stops them in the reverse order."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from embedded import leftovers
from embedded.log import Log
from embedded.processes import Part, Process

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STABLE_SECONDS = 60.0
_WATCH_SECONDS = 0.2


class StopAsked(Exception):
    """Ctrl-C, SIGTERM or SIGHUP arrived while the stack was starting."""


@dataclass
class _Watched:
    process: Process
    pause: float = _FIRST_PAUSE
    restart_at: float | None = None


class Supervisor:
    """The running parts, in the order in which they were started."""

    def __init__(self, folder: Path, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._watched: list[_Watched] = []
        self._stop = threading.Event()

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """Turn SIGINT, SIGTERM and SIGHUP into a request to stop, for the length of a block."""

        def ask(_number: int, _frame: FrameType | None) -> None:
            self._stop.set()

        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, ask) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self, part: Part, ready: Callable[[], bool] | None = None, timeout: float = 60.0) -> None:
        """Start a part and wait until it is ready. Raises StackError, or StopAsked when the wait was cut short."""
        self.check()
        process = Process(part, self._log)
        self._watched.append(_Watched(process))
        self._record()
        if ready:
            process.wait_ready(ready, timeout, give_up=self._stop.is_set)
        self.check()

    def check(self) -> None:
        """Raise StopAsked when a stop was asked for."""
        if self._stop.is_set():
            raise StopAsked

    def watch(self) -> None:
        """Start crashed parts again until a stop is asked for."""
        while not self._stop.wait(_WATCH_SECONDS):
            for watched in self._watched:
                self._look_after(watched)

    def stop(self) -> None:
        """Stop everything, the last started first."""
        for watched in reversed(self._watched):
            watched.process.stop()
        leftovers.end_orphans(())
        leftovers.record(self._folder, ())

    def _look_after(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.restart_at is not None:
            if now >= watched.restart_at:
                watched.restart_at = None
                watched.process = Process(watched.process.part, self._log)
                self._record()
            return
        code = watched.process.exit_code()
        if code is None:
            return
        # What it started must not go on beside its successor.
        watched.process.kill()
        leftovers.end_orphans(self._pids())
        if now - watched.process.started > _STABLE_SECONDS:
            watched.pause = _FIRST_PAUSE
        name = watched.process.part.name
        self._log("fgfi", f"{name} {_ending(code)}; starting it again in {watched.pause:g} s")
        watched.restart_at = now + watched.pause
        watched.pause = min(2 * watched.pause, _LONGEST_PAUSE)

    def _pids(self) -> list[int]:
        return [watched.process.pid for watched in self._watched]

    def _record(self) -> None:
        running = [(watched.process.pid, watched.process.part.stop_signal) for watched in self._watched]
        leftovers.record(self._folder, running)


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
