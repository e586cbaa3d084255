"""A warm spare: a runner that has loaded torch already and waits for a job's folder. Used once, then replaced."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from worker.child import Child
from worker.environment import child_environment


class Spare:
    """Keeps one runner waiting below `folder`. Only for the thread that stays: Linux ends the child with its thread."""

    def __init__(self, folder: Path, threads: int | None) -> None:
        self._folder = folder
        self._threads = threads
        self._command: tuple[str, ...] = ()
        self._waiting: Child | None = None

    def prepare(self, command: Sequence[str]) -> None:
        """Start a runner that waits, unless one does."""
        if self._waiting is not None and not self._waiting.ended() and self._command == tuple(command):
            return
        self.discard()
        self._folder.mkdir(parents=True, exist_ok=True)
        environment = child_environment(os.environ, self._folder, self._threads)
        self._command = tuple(command)
        self._waiting = Child(command, self._folder, environment, ["--spare"])

    def take(self, command: Sequence[str], folder: Path, options: Sequence[str]) -> Child | None:
        """The waiting runner, told its job; None when none waits for this command, or it ended while it waited."""
        child = self._waiting
        if child is None or self._command != tuple(command):
            return None
        if child.ended():
            self.discard()
            return None
        self._waiting = None
        child.begin(folder, options)
        return child

    def discard(self) -> None:
        """End the runner that waits, if any."""
        if self._waiting is not None:
            self._waiting.reap()
            self._waiting = None
        shutil.rmtree(self._folder, ignore_errors=True)
