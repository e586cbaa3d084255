"""Data sets unpacked on this machine, named by their archive's sha256 and shared by all workers of one folder.

An entry is filled under another name and appears by one rename. A user holds a shared lock on it; the oldest entries
nobody uses go when the cache outgrows its bound.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = re.compile(r"[0-9a-f]{64}")


class Cache:
    """A bounded cache of folders below `root`. limit: bytes, exceeded only by what is in use."""

    def __init__(self, root: Path, limit: int) -> None:
        self._entries = root / "datasets"
        self._locks = root / "locks"
        self._drafts = root / "drafts"
        self._limit = limit

    @contextmanager
    def use(self, sha256: str, fill: Callable[[Path], None]) -> Iterator[Path]:
        """The entry's folder for the length of a block. `fill(folder)` makes one that is missing, folder included."""
        if not _NAME.fullmatch(sha256):
            raise ValueError(f"'{sha256}' is no sha256")
        for folder in (self._entries, self._locks, self._drafts):
            folder.mkdir(parents=True, exist_ok=True)
        entry = self._entries / sha256
        with self._lock(sha256, fcntl.LOCK_EX) as lock:
            if not entry.is_dir():
                self._fill(entry, fill)
            os.utime(entry)
            fcntl.flock(lock, fcntl.LOCK_SH)
            self.trim()
            yield entry

    def trim(self) -> None:
        """Remove the entries used longest ago, until the rest is within the limit or in use."""
        entries = [(path.stat().st_mtime, path) for path in self._entries.iterdir()]
        sizes = {path: _size(path) for _, path in entries}
        total = sum(sizes.values())
        for _, path in sorted(entries):
            if total <= self._limit:
                return
            if self._remove_unused(path):
                total -= sizes[path]

    def _fill(self, entry: Path, fill: Callable[[Path], None]) -> None:
        draft = self._drafts / secrets.token_hex(8)
        try:
            fill(draft)
            draft.rename(entry)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _remove_unused(self, entry: Path) -> bool:
        try:
            with self._lock(entry.name, fcntl.LOCK_EX | fcntl.LOCK_NB):
                doomed = self._drafts / secrets.token_hex(8)
                entry.rename(doomed)
                shutil.rmtree(doomed, ignore_errors=True)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _lock(self, name: str, kind: int) -> Iterator[int]:
        descriptor = os.open(self._locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, kind)
            yield descriptor
        finally:
            os.close(descriptor)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
