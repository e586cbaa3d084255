"""What every object store can do. Keys are like `jobs/job_1/attempts/2/report.html`; objects never change in place."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from store import failpoints
from store.errors import ObjectDamaged, TooLarge

if TYPE_CHECKING:
    from store.objects.parts import Parts

CHUNK = 2**20
STALE = timedelta(days=1)
MAX_KEY = 900
# What every file system and every S3 takes as it is, in names no longer than a file's name may be.
_SEGMENT = re.compile(r"[A-Za-z0-9._=-]{1,255}")


@dataclass(frozen=True)
class Stored:
    """An object just written: its size in bytes and the sha256 of its content, both as they passed by."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ObjectInfo:
    """An object in the store."""

    key: str
    size: int
    modified: datetime


class ObjectStore(Protocol):
    """Atomic writes, streamed reads. Nothing is ever held in memory whole.

    Every method may raise StorageAway, or of its kinds StorageRefused (keys, bucket, rights) and StorageFull; all are
    OSErrors. No key may be the folder of another (`a` beside `a/b`): S3 would take both, a folder cannot.
    """

    @property
    def parts(self) -> "Parts":
        """Objects written in parts, by many requests."""
        ...

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        size: int | None = None,
        sha256: str | None = None,
        max_bytes: int | None = None,
    ) -> Stored:
        """Write an object: whole or not at all, and of several writers of one key the last one, whole.

        Raises TooLarge past `max_bytes`; ObjectDamaged when the content is not of the given size or sha256; and what
        `chunks` raises. In each case an object that was there before stays as it was.
        """
        ...

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Stream an object, or its bytes from `start` to before `end`, as far as it has them.

        Raises ObjectMissing before the first byte. A write meanwhile changes nothing for this reader.
        """
        ...

    def head(self, key: str) -> ObjectInfo:
        """What is known of an object. Raises ObjectMissing."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects below a folder, such as `jobs/` (the slash may be left out), in no order."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy an object. Raises ObjectMissing."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is fine."""
        ...

    def presign(self, key: str, valid: timedelta, *, filename: str | None = None) -> str | None:
        """A link that downloads the object without a key for a while, under a file's name when one is given.

        None where the store has no such links. Raises ValueError for more than seven days, S3's limit.
        """
        ...

    def sweep(self, older_than: timedelta = STALE) -> None:
        """Remove what writes left behind that broke off so long ago (a process or machine died)."""
        ...

    def ready(self) -> None:
        """Raise StorageAway or one of its kinds, which says why, when the store cannot be used now. Retries nothing."""
        ...


def check_key(key: str) -> str:
    """Return the key when it is well formed; raises ValueError. Keeps every key inside its store."""
    segments = key.split("/")
    if len(key) > MAX_KEY or any(not _SEGMENT.fullmatch(part) or part in {".", ".."} for part in segments):
        raise ValueError(f"'{key[:100]}' is no object key")
    return key


def check_range(start: int, end: int | None) -> None:
    """Raise ValueError for a range that counts from the end, which no store of ours does."""
    if start < 0 or (end is not None and end < 0):
        raise ValueError(f"a range of bytes begins at 0 or later, not {start} to {end}")


def read_file(path: Path) -> Iterator[bytes]:
    """A file's content in chunks, for `put`."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
            failpoints.reach("mid_upload")


class Meter:
    """Passes chunks on, counting and hashing them; `verify` at the end compares with what was promised."""

    def __init__(self, key: str, chunks: Iterable[bytes], max_bytes: int | None) -> None:
        self._key = key
        self._chunks = chunks
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            if self._max_bytes is not None and self.size > self._max_bytes:
                raise TooLarge(f"more than {self._max_bytes} bytes", hint="Send less, or raise the service's limit.")
            self._hash.update(chunk)
            yield chunk

    def verify(self, size: int | None, sha256: str | None) -> Stored:
        """What passed by. Raises ObjectDamaged."""
        found = Stored(self._key, self.size, self._hash.hexdigest())
        if size is not None and size != found.size:
            raise ObjectDamaged(f"{self._key}: {found.size} bytes arrived, {size} were promised")
        if sha256 is not None and sha256.lower() != found.sha256:
            raise ObjectDamaged(f"{self._key}: the content's sha256 is {found.sha256}, {sha256} was promised")
        return found
