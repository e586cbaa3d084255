"""The folders in which attempts run. A worker that is killed leaves its own behind: the next attempt removes it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def attempt_folder(folder: Path) -> Iterator[None]:
    """Make a new folder, held by a lock for the length of a block, and remove it after. Sweeps up beside it first."""
    with _held(folder.parent, fcntl.LOCK_EX):  # So that nobody sweeps up what is made but not held yet.
        _sweep(folder.parent)
        folder.mkdir()
        descriptor = _lock(folder, fcntl.LOCK_EX)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _sweep(scratch: Path) -> None:
    """Remove the folders nobody holds any more: the kernel lets go of a lock however its holder ended."""
    for left in scratch.iterdir():
        # Held by its worker, or not ours to remove: either way it stays.
        with suppress(OSError), _held(left, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _held(folder: Path, kind: int) -> Iterator[None]:
    descriptor = _lock(folder, kind)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, kind: int) -> int:
    """Lock the folder itself; returns the descriptor that holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
