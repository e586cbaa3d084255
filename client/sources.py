"""Archives that can be read from anywhere, with a size known beforehand: a file as it is, a folder as a plain tar.

A folder's tar is never on the disk: any range of it is made when it is asked for. It is not compressed, because nobody
could know the size of a compressed one; images hardly shrink anyway.
"""

import hashlib
import tarfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from client.errors import ClientError

CHUNK = 1 << 20


def header(folder: Path, path: Path, size: int) -> bytes:
    """What comes before a file in the folder's tar. The same folder makes the same archive: no times, no owners."""
    entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
    entry.size = size
    entry.mode = 0o644
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


class Source(Protocol):
    """An archive of `size` bytes that can be read in any order, by several threads."""

    size: int
    media_type: str

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to before `end`. Raises ClientError when it changed since its size was taken."""
        ...


def sha256_of(source: Source, on_bytes: Callable[[int], None]) -> str:
    """The sha256 of the whole, in hex."""
    digest = hashlib.sha256()
    for chunk in source.read(0, source.size):
        digest.update(chunk)
        on_bytes(len(chunk))
    return digest.hexdigest()


class FileSource:
    """An archive that lies on the disk."""

    def __init__(self, path: Path, media_type: str) -> None:
        self.media_type = media_type
        self.size = path.stat().st_size
        self._path = path

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """See `Source.read`."""
        return _read(self._path, start, end)


@dataclass(frozen=True)
class _Member:
    """A file of a tar: its header, its content, and blanks up to the next block. header: bytes of it.

    The header itself is made when it is read: those of a million files would fill the memory.
    """

    path: Path
    size: int
    header: int

    @property
    def length(self) -> int:
        return self.header + self.size + -self.size % tarfile.BLOCKSIZE


class TarSource:
    """A folder's files, in order of name, as a tar: the same folder makes the same bytes."""

    media_type = "application/x-tar"

    def __init__(self, folder: Path, files: Sequence[Path]) -> None:
        self._folder = folder
        self._members = [_member(folder, path, path.stat().st_size) for path in files]
        self._starts = [0]
        for member in self._members:
            self._starts.append(self._starts[-1] + member.length)
        # Two empty blocks end a tar.
        self.size = self._starts[-1] + 2 * tarfile.BLOCKSIZE

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """See `Source.read`."""
        for index in range(bisect_right(self._starts, start) - 1, len(self._members)):
            begin = self._starts[index]
            if begin >= end:
                return
            yield from self._of(self._members[index], max(0, start - begin), end - begin)
        yield bytes(max(0, min(end, self.size) - max(start, self._starts[-1])))

    def _of(self, member: _Member, start: int, end: int) -> Iterator[bytes]:
        """The bytes of a member from `start` to before `end`, as far as it has them."""
        content, blanks = member.header, member.header + member.size
        if start < content:
            yield header(self._folder, member.path, member.size)[start:end]
        if start < blanks and end > content:
            yield from _read(member.path, max(0, start - content), min(end, blanks) - content)
        yield bytes(max(0, min(end, member.length) - max(start, blanks)))


def _read(path: Path, start: int, end: int) -> Iterator[bytes]:
    left = end - start
    try:
        with path.open("rb") as file:
            file.seek(start)
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise ClientError(f"cannot read {path}: {error.strerror}") from error
    if left:
        raise ClientError(f"{path} became shorter while it was read")


def _member(folder: Path, path: Path, size: int) -> _Member:
    return _Member(path, size, len(header(folder, path, size)))
