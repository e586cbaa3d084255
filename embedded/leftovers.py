"""Processes of the stack that outlived their parent: found and ended, so that no start meets an earlier one's parts."""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_RECORD = "processes.json"
_PR_SET_CHILD_SUBREAPER = 36
_GRACE_SECONDS = 10.0


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind, so that it can be seen and ended. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans(known: Iterable[int]) -> None:
    """Kill the children that nobody of ours started on purpose, and everything below them."""
    kept = set(known)
    for child in psutil.Process().children():
        if child.pid not in kept:
            with suppress(psutil.Error):
                for process in [*child.children(recursive=True), child]:
                    process.kill()
            with suppress(ChildProcessError):
                os.waitpid(child.pid, 0)


def record(folder: Path, running: Iterable[tuple[int, signal.Signals]]) -> None:
    """Note which processes run and what asks each to stop.

    A number alone could be a stranger's later, so the time of birth stands beside it.
    """
    notes = []
    for pid, stop_signal in running:
        with suppress(psutil.Error):
            notes.append({"pid": pid, "born": psutil.Process(pid).create_time(), "stop_signal": int(stop_signal)})
    (folder / _RECORD).write_text(json.dumps(notes))


def end_recorded(folder: Path) -> int:
    """End what a killed run left; returns how many processes there were. The caller holds the folder's lock."""
    try:
        notes = json.loads((folder / _RECORD).read_text())
    except (OSError, ValueError):
        return 0
    left = []
    for note in notes:
        with suppress(psutil.Error):
            process = psutil.Process(note["pid"])
            if abs(process.create_time() - note["born"]) < 1.0:
                # What it started, too: that may be in a group of its own.
                left += [process, *process.children(recursive=True)]
                process.send_signal(note["stop_signal"])
    _, alive = psutil.wait_procs(left, timeout=_GRACE_SECONDS)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE_SECONDS)
    (folder / _RECORD).unlink(missing_ok=True)
    return len(left)
