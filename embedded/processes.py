"""One part of the stack as a real child process: in its own group, ended with us, its output read line by line."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded.errors import StackError

_LAUNCH = str(Path(__file__).with_name("launch.py"))
_KEPT_LINES = 20
_POLL_SECONDS = 0.02

OnLine = Callable[[str, str], None]
"""Receives (part, line)."""


def silent(_part: str, _line: str) -> None:
    """Drop a line of output."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Part:
    """What to start and how to end it.

    command: absolute path of the program, then its arguments. environment: added to ours. stop_signal: asks it to end
    in order, also sent when we die. grace: seconds it has for that. user: whom root becomes first.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    user: str | None = None
    folder: Path | None = None

    @classmethod
    def python(cls, name: str, *command: str, environment: Mapping[str, str] | None = None, **settings: Any) -> "Part":
        """A part that is a module of ours, found where this file was found and never in the current folder."""
        root = {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
        program = (sys.executable, "-P", "-m", *command)
        return cls(name, program, {**root, **(environment or {})}, **settings)

    def launch_command(self) -> list[str]:
        """The command behind `launch.py`."""
        python = [sys.executable, "-I", "-S", _LAUNCH]
        return [*python, str(os.getpid()), str(int(self.stop_signal)), self.user or "-", *self.command]


class Process:
    """A running part. Start it from a thread that lives as long as it shall: Linux ties its life to that thread's."""

    def __init__(self, part: Part, on_line: OnLine = silent) -> None:
        self.part = part
        self.last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.started = time.monotonic()
        self._on_line = on_line
        self._popen = subprocess.Popen(
            part.launch_command(),
            env={**os.environ, **part.environment},
            cwd=part.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {part.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Also the id of its process group."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._popen.poll()

    def wait_ready(
        self, ready: Callable[[], bool], timeout: float, give_up: Callable[[], bool] = lambda: False
    ) -> None:
        """Return when `ready()` is true or `give_up()` is. Raises StackError when it ends before or takes too long."""
        deadline = time.monotonic() + timeout
        while not ready():
            if give_up():
                return
            if (code := self.exit_code()) is not None:
                self._reader.join(timeout=1.0)
                raise StackError(f"{self.part.name} ended while starting (exit {code}): {self._last_words()}")
            if time.monotonic() > deadline:
                raise StackError(f"{self.part.name} did not get ready within {timeout:.0f} s: {self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """Send the stop signal to the part, not to what it started: it ends those in its own order."""
        if self.exit_code() is None:
            with suppress(ProcessLookupError):
                self._popen.send_signal(self.part.stop_signal)

    def stop(self) -> None:
        """Ask, wait for the grace to pass, then kill; either way nothing of its group is left."""
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(self.part.grace)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        self._reader.join(timeout=1.0)

    def _last_words(self) -> str:
        lines = [line for line in self.last_lines if line.strip()]
        return " / ".join(lines[-3:]) or "it said nothing"

    def _read(self) -> None:
        # `_popen` is set before the thread starts; its stdout is a pipe by construction.
        pipe = self._popen.stdout
        if pipe is None:
            return
        with pipe:
            for raw in pipe:
                line = raw.decode(errors="replace").rstrip("\r\n")
                self.last_lines.append(line)
                self._on_line(self.part.name, line)
