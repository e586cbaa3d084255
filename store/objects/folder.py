"""The object store in a folder. A file appears under its key by one rename, after it is safely on the disk.

Links inside are not followed: what lies behind one is no object. `root` itself may be a link.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.errors import ObjectMissing
from store.objects.descent import HINT, opened, prune
from store.objects.errors import StorageAway, StorageFull, StorageRefused
from store.objects.folder_parts import PARTS, FolderParts
from store.objects.protocol import CHUNK, STALE, Meter, ObjectInfo, Stored, check_key, check_range

# No key can name it: a segment of a key has no tilde.
INCOMING = "~incoming"
# An emptied folder may be pruned at any moment, also between its making and the first file in it.
MOVES = 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}


class FolderStore:
    """Objects as files below `root`; other processes of this machine may use the same folder."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        with self.failing():
            (self._root / INCOMING).mkdir(parents=True, exist_ok=True)
        self.parts = FolderParts(self, self._root)

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
        with self.draft(key, chunks, size=size, sha256=sha256, max_bytes=max_bytes) as (draft, stored):
            with self.failing():
                self._move(draft, key)
            return stored

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.get`."""
        check_range(start, end)
        folders, name = _split(key)
        with self.failing(key), opened(self._root, folders) as folder:
            # Not blocking: an open of a pipe, which is no object, would wait for its writer.
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise ObjectMissing(f"there is no object '{key}'")
        chunks = self._read(file, start, end)
        # To its first yield, from where it closes the file even when nobody reads on.
        next(chunks)
        return chunks

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        folders, name = _split(key)
        with self.failing(key), opened(self._root, folders) as folder:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise ObjectMissing(f"there is no object '{key}'")
        return _info(key, found)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        below = check_key(prefix.removesuffix("/")).split("/") if prefix else []
        try:
            with opened(self._root, below) as top:
                for parent, folders, files, folder in os.fwalk(".", dir_fd=top):
                    folders[:] = [name for name in folders if name not in {INCOMING, PARTS}]
                    for name in files:
                        try:
                            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                        except FileNotFoundError:
                            continue
                        if stat.S_ISREG(found.st_mode):
                            yield _info(Path(*below, parent, name).as_posix(), found)
        except (FileNotFoundError, NotADirectoryError):
            return

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`."""
        self.put(target, self.get(source))

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        folders, name = _split(key)
        try:
            with self.failing(key), opened(self._root, folders) as folder:
                os.unlink(name, dir_fd=folder)
        except ObjectMissing:
            return
        prune(self._root, folders)

    def presign(self, key: str, valid: timedelta, *, filename: str | None = None) -> str | None:  # noqa: ARG002 - the protocol's arguments
        """None: a folder has no links of its own; the API streams."""
        return None

    def ready(self) -> None:
        """See `ObjectStore.ready`: write and remove a small file."""
        probe = self._root / INCOMING / secrets.token_hex(16)
        try:
            with self.failing():
                probe.write_bytes(b"ready")
        finally:
            with suppress(OSError):
                probe.unlink(missing_ok=True)

    def sweep(self, older_than: timedelta = STALE) -> None:
        """See `ObjectStore.sweep`: drafts that nobody has written to for so long."""
        oldest = datetime.now(UTC) - older_than
        with self.failing():
            for draft in (self._root / INCOMING).iterdir():
                with suppress(FileNotFoundError):  # Finished, or swept by another steward.
                    if datetime.fromtimestamp(draft.stat().st_mtime, UTC) < oldest:
                        draft.unlink()
            self.parts.sweep(oldest)

    @contextmanager
    def draft(
        self, key: str, chunks: Iterable[bytes], *, size: int | None, sha256: str | None, max_bytes: int | None
    ) -> Iterator[tuple[Path, Stored]]:
        """A file of the content, verified and safe on the disk, for the length of a block that moves it to its place.

        Raises as `ObjectStore.put`.
        """
        check_key(key)
        draft = self._root / INCOMING / secrets.token_hex(16)
        try:
            meter = Meter(key, chunks, max_bytes)
            with self.failing():
                # Unbuffered: what could not be written must not be tried once more on closing.
                file = draft.open("xb", buffering=0)
            with file:
                for chunk in meter:
                    with self.failing():
                        _write(file.fileno(), chunk)
                stored = meter.verify(size, sha256)
                with self.failing():
                    os.fsync(file.fileno())
            yield draft, stored
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    @contextmanager
    def failing(self, key: str | None = None) -> Iterator[None]:
        """Name what the file system refused. key: of an object whose absence is ObjectMissing."""
        try:
            yield
        except StorageAway:
            raise
        except OSError as error:
            if key is not None and error.errno in _ABSENT:
                raise ObjectMissing(f"there is no object '{key}'") from error
            kind = StorageFull if error.errno in _FULL else StorageAway
            raise kind(f"the storage folder '{self._root}': {error.strerror}", hint=HINT) from error

    def _read(self, file: int, start: int, end: int | None) -> Iterator[bytes]:
        with os.fdopen(file, "rb", buffering=0) as content:
            yield b""
            left = None if end is None else max(0, end - start)
            with self.failing():
                content.seek(start)
            while left is None or left > 0:
                with self.failing():
                    chunk = content.read(CHUNK if left is None else min(CHUNK, left))
                if not chunk:
                    return
                left = None if left is None else left - len(chunk)
                yield chunk

    def _move(self, draft: Path, key: str) -> None:
        folders, name = _split(key)
        for attempt in range(MOVES):
            try:
                with opened(self._root, folders, make=True) as folder:
                    os.replace(draft, name, dst_dir_fd=folder)
                    os.fsync(folder)
            except FileNotFoundError:
                if attempt == MOVES - 1:
                    raise
            except (NotADirectoryError, IsADirectoryError) as error:
                raise StorageRefused(f"'{key}': a file, a folder or a link lies in the way") from error
            else:
                return


def _split(key: str) -> tuple[list[str], str]:
    *folders, name = check_key(key).split("/")
    return folders, name


def _write(file: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(file, rest) :]


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))
