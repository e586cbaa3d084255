"""The object store in a folder. A file appears under its key by one rename, after it is safely on the disk."""

import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.errors import ObjectMissing
from store.objects.protocol import CHUNK, Meter, ObjectInfo, Stored, check_key, read_file

# No key can name it: a segment of a key has no tilde.
INCOMING = "~incoming"
STALE = timedelta(days=1)


class FolderStore:
    """Objects as files below `root`; other processes of this machine may use the same folder."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        self._incoming = self._root / INCOMING
        self._incoming.mkdir(parents=True, exist_ok=True)

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        size: int | None = None,
        sha256: str | None = None,
        max_bytes: int | None = None,
    ) -> Stored:
        """See `ObjectStore.put`."""
        target = self._path(key)
        draft = self._incoming / secrets.token_hex(16)
        try:
            meter = Meter(key, chunks, max_bytes)
            with draft.open("xb") as file:
                for chunk in meter:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            stored = meter.verify(size, sha256)
            _move(draft, target)
        finally:
            draft.unlink(missing_ok=True)
        return stored

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.get`."""
        path = self._path(key)
        try:
            file = path.open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ObjectMissing(f"there is no object '{key}'") from error

        def stream() -> Iterator[bytes]:
            with file:
                file.seek(start)
                left = None if end is None else end - start
                while left is None or left > 0:
                    chunk = file.read(CHUNK if left is None else min(CHUNK, left))
                    if not chunk:
                        return
                    left = None if left is None else left - len(chunk)
                    yield chunk

        return stream()

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        path = self._path(key)
        if not path.is_file():
            raise ObjectMissing(f"there is no object '{key}'")
        return _info(key, path.stat())

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        folder = self._root / check_key(prefix.removesuffix("/")) if prefix else self._root
        for parent, folders, files in os.walk(folder):
            if INCOMING in folders:
                folders.remove(INCOMING)
            for name in files:
                path = Path(parent, name)
                try:
                    yield _info(path.relative_to(self._root).as_posix(), path.stat())
                except FileNotFoundError:
                    continue

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`."""
        self.head(source)
        self.put(target, read_file(self._path(source)))

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        self._path(key).unlink(missing_ok=True)

    def presign(self, key: str, valid: timedelta, *, filename: str | None = None) -> str | None:  # noqa: ARG002 - the protocol's arguments
        """None: a folder has no links of its own; the API streams."""
        return None

    def ready(self) -> None:
        """See `ObjectStore.ready`: write and remove a small file."""
        probe = self._incoming / secrets.token_hex(16)
        probe.touch()
        probe.unlink()

    def sweep(self) -> None:
        """See `ObjectStore.sweep`."""
        oldest = datetime.now(UTC) - STALE
        for draft in self._incoming.iterdir():
            if datetime.fromtimestamp(draft.stat().st_mtime, UTC) < oldest:
                draft.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)


def _move(draft: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(draft, target)  # noqa: PTH105 - the atomic rename is the point
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _info(key: str, stat: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
