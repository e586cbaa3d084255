"""What is sent of a folder or an archive: small ones whole, a folder as a tar.gz made on the way; large ones in parts.

Nothing is written to disk, little is held in memory.
"""

import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from client.errors import EXIT_USAGE, ClientError
from client.sources import FileSource, Source, TarSource, header

# Up to here a new beginning is quicker than finding out what arrived.
WHOLE_BYTES = 8 * 2**20
_CHUNK = 1 << 18
_MEDIA_TYPES = {
    ".zip": "application/zip",
    ".tar": "application/x-tar",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".zst": "application/zstd",
}
# Images are compressed already; the fastest level takes the XML down and costs little time.
_LEVEL = 1

OnBytes = Callable[[int], None]
"""Receives how many bytes of the source were read since the last call."""


def media_type(path: Path) -> str:
    """The media type of what `read` yields for this path. Raises ClientError for what is no archive."""
    if path.is_dir():
        return "application/gzip"
    kind = _MEDIA_TYPES.get(path.suffix.lower())
    if kind is None:
        raise ClientError(
            f"{path} is neither a folder nor an archive",
            hints=("give a folder, or a .zip, .tar, .tar.gz or .tar.zst file",),
            exit_code=EXIT_USAGE,
        )
    return kind


def size(path: Path) -> int:
    """How many bytes of source `read` will go through."""
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in _files(path))


def counted(path: Path) -> int:
    """How many bytes `Fgfi.add_dataset` counts."""
    source = parted(path)
    return size(path) if source is None else source.size


def parted(path: Path) -> Source | None:
    """What is to be sent in parts; None for what is small enough to be sent whole. Raises ClientError."""
    if size(path) <= WHOLE_BYTES:
        return None
    return TarSource(path, _files(path)) if path.is_dir() else FileSource(path, media_type(path))


def read(path: Path, on_bytes: OnBytes) -> Iterator[bytes]:
    """The archive's bytes: a file as it is, a folder as tar.gz with its files in order of name."""
    return _read_file(path, on_bytes) if path.is_file() else _pack(path, on_bytes)


def _read_file(path: Path, on_bytes: OnBytes) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            on_bytes(len(chunk))
            yield chunk


def _pack(folder: Path, on_bytes: OnBytes) -> Iterator[bytes]:
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for file in _files(folder):
        for chunk in _member(folder, file, on_bytes):
            if data := squeeze.compress(chunk):
                yield data
    # Two empty blocks end a tar.
    yield squeeze.compress(bytes(2 * tarfile.BLOCKSIZE)) + squeeze.flush()


def _member(folder: Path, file: Path, on_bytes: OnBytes) -> Iterator[bytes]:
    size_now = left = file.stat().st_size
    yield header(folder, file, size_now)
    with file.open("rb") as source:
        while left and (chunk := source.read(min(_CHUNK, left))):
            left -= len(chunk)
            on_bytes(len(chunk))
            yield chunk
    if left:
        raise ClientError(f"{file} became shorter while it was read")
    yield bytes(-size_now % tarfile.BLOCKSIZE)


def _files(folder: Path) -> list[Path]:
    # Links could lead out of the folder, and the service refuses them; hidden files are the desktop's, not the data's.
    found = (
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    files = sorted(found)
    if not files:
        raise ClientError(f"{folder} has no files in it", exit_code=EXIT_USAGE)
    return files
