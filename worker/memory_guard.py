"""The memory that a training and all it starts may take together: what is beyond it ends them, and never the worker.

Where Linux has handed control groups (version 2) over to this worker, the kernel holds them to it. Elsewhere the
supervisor looks every second, and what grows faster than that is left to `runner.limit`, which is each process's own.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path

import psutil

from worker import clock

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
OWN_GROUP = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


class MemoryGuard:
    """Holds one child, by its process group, to `limit` bytes; None holds it to nothing.

    delegated: the control group below which one for the child is made; None looks instead.
    """

    def __init__(self, limit: int | None, child: int, delegated: Path | None) -> None:
        self._limit = limit
        self._child = child
        self._look_at = 0.0
        self._group: Path | None = None
        if limit is not None and delegated is not None:
            self._group = _make_group(delegated / f"fgfi-{child}", limit, child)

    def exceeded(self) -> int | None:
        """The limit, once it was reached; asking often costs little."""
        if self._limit is None or clock.now() < self._look_at:
            return None
        self._look_at = clock.now() + LOOK_SECONDS
        return self._limit if self._is_beyond(self._limit) else None

    def ended(self) -> int | None:
        """The limit, if the kernel ended the child for it; forgets the group. For when the child is gone."""
        if self._group is None:
            return None
        killed = _killed(self._group)
        with suppress(OSError):
            self._group.rmdir()
        self._group = None
        return self._limit if killed else None

    def _is_beyond(self, limit: int) -> bool:
        return _killed(self._group) if self._group is not None else private_memory(self._child) > limit


def private_memory(group: int) -> int:
    """Bytes of memory that the processes of a group share with nobody, such as they are at this moment."""
    total = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group:
                memory = process.memory_info()
                total += memory.rss - getattr(memory, "shared", 0)
    return total


def delegated_group(own: Path = OWN_GROUP, mount: Path = MOUNT) -> Path | None:
    """The control group below which this worker may make others that limit memory; None where there is none.

    That is the one above its own, since a group with processes of its own cannot limit others below it: systemd makes
    both with `Delegate=memory` and `DelegateSubgroup=worker`.
    """
    try:
        line = next(line for line in own.read_text().splitlines() if line.startswith("0::"))
        above = (mount / line.removeprefix("0::").lstrip("/")).parent
        handed_down = "memory" in (above / "cgroup.subtree_control").read_text().split()
    except (OSError, StopIteration):
        return None
    usable = handed_down and above != mount and os.access(above, os.W_OK) and os.access(above / "cgroup.procs", os.W_OK)
    return above if usable else None


def _make_group(group: Path, limit: int, child: int) -> Path | None:
    try:
        group.mkdir()
        (group / "memory.max").write_text(str(limit))
        # All of the group or none: a training without one of its processes would hang.
        (group / "memory.oom.group").write_text("1")
        with suppress(FileNotFoundError):  # A kernel without swap.
            (group / "memory.swap.max").write_text("0")
        (group / "cgroup.procs").write_text(str(child))
    except OSError as error:
        log.warning("the control group %s cannot be used, looking at the memory instead: %s", group, error)
        with suppress(OSError):
            group.rmdir()
        return None
    return group


def _killed(group: Path) -> bool:
    """Whether the kernel ended something there for want of memory."""
    with suppress(OSError):
        counts = dict(line.split() for line in (group / "memory.events").read_text().splitlines())
        return int(counts.get("oom_kill", 0)) > 0
    return False
