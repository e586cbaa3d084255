"""What a child writes, taken off its pipes at once: whoever writes must never wait for whoever reads."""

import os
import threading
from collections import deque

LOG_TAIL = 32 * 2**10
LINES_BYTES = 32 * 2**20
_CHUNK = 64 * 2**10

# What must arrive: without it a run would be lost, or told wrongly. There are few of them.
_NEEDED = tuple(
    f'{{"kind": "{kind}"'.encode()
    for kind in (
        "spec_resolved",
        "stage_started",
        "stage_finished",
        "checkpoint_saved",
        "artifact_written",
        "run_finished",
        "run_failed",
    )
)


class Tail:
    """Keeps the last of what comes out of a pipe, and reads the rest away."""

    def __init__(self, descriptor: int, keep: int = LOG_TAIL) -> None:
        self._descriptor = descriptor
        self._keep = keep
        self._kept = b""
        self._thread = threading.Thread(target=self._read, name="output of the child", daemon=True)
        self._thread.start()

    def text(self, timeout: float = 5.0) -> str:
        """The last output, once the pipe has ended or the timeout (seconds) passed."""
        self._thread.join(timeout)
        return self._kept.decode("utf-8", "replace")

    def _read(self) -> None:
        try:
            while chunk := os.read(self._descriptor, _CHUNK):
                self._kept = (self._kept + chunk)[-self._keep :]
        finally:
            os.close(self._descriptor)


class Lines:
    """Lines on their way from one thread to another. Putting never waits: past `limit` bytes lines are dropped.

    First go lines that later ones replace (progress, metrics, log) and what is no event; past four times the limit go
    all. dropped: how many went.
    """

    def __init__(self, limit: int = LINES_BYTES) -> None:
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._ended = False
        self._changed = threading.Condition()
        self.dropped = 0

    def put(self, line: bytes) -> None:
        """Add a line, or drop it."""
        limit = 4 * self._limit if line.startswith(_NEEDED) else self._limit
        with self._changed:
            if self._bytes + len(line) > limit:
                self.dropped += 1
                return
            self._waiting.append(line)
            self._bytes += len(line)
            self._changed.notify()

    def end(self) -> None:
        """Say that no line will follow."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def get(self, timeout: float) -> bytes | None:
        """The next line; None when none came within the timeout (seconds). After the end it waits all the same."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout)
            if not self._waiting:
                return None
            line = self._waiting.popleft()
            self._bytes -= len(line)
            return line

    def rest(self, timeout: float) -> list[bytes]:
        """All lines left, once the end was said or the timeout (seconds) passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, timeout)
            left = list(self._waiting)
            self._waiting.clear()
            self._bytes = 0
            return left
