"""Unpack an uploaded archive into a new folder, or refuse it and leave nothing behind.

Archives come from strangers. Only regular files and folders with plain relative names are written, names, count, size
and ratio are limited while the bytes flow, and nothing appears at the destination before all of it is there.
"""

import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from fgfi_core.errors import BadData

CHUNK = 2**20
# What packing tools leave beside the data; passed over, but only after their names were checked like all others.
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")


class BadArchive(BadData):
    """The archive is refused; the message names the member and the rule."""

    code = "bad_archive"


@dataclass(frozen=True)
class Limits:
    """How much may come out of an archive. Sizes in bytes; ratio is unpacked over packed, beyond a free allowance."""

    files: int = 200_000
    total: int = 32 * 2**30
    file: int = 2 * 2**30
    ratio: float = 100.0
    free: int = 64 * 2**20
    depth: int = 16
    name: int = 255


@dataclass(frozen=True)
class Extracted:
    """What was written: count of files and their bytes."""

    files: int
    size: int


class _Member(NamedTuple):
    name: str
    kind: str
    open: Callable[[], IO[bytes] | None]


DEFAULT_LIMITS = Limits()
_UNPLAIN = re.compile(r"[\\\x00-\x1f\x7f]|^[A-Za-z]:")


def extract(archive: Path, destination: Path, limits: Limits = DEFAULT_LIMITS) -> Extracted:
    """Unpack a .zip, .tar, .tar.gz or .tar.zst, told by its content, into `destination`, which must not exist.

    Raises BadArchive; `destination` exists only after success.
    """
    if destination.exists():
        raise FileExistsError(f"{destination} exists already")
    destination.parent.mkdir(parents=True, exist_ok=True)
    packed = archive.stat().st_size
    most = min(limits.total, max(limits.free, int(packed * limits.ratio)))
    # In the same folder, so that the last step is a rename.
    folder = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=destination.parent))
    try:
        extracted = _write(_members(archive), folder, limits, most)
        if not extracted.files:
            raise BadArchive(f"'{archive.name}' holds no files.")
        folder.chmod(0o755)
        folder.rename(destination)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise BadArchive(f"'{archive.name}' is damaged or packed in an unknown way: {error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return extracted


def _write(members: Iterator[_Member], folder: Path, limits: Limits, most: int) -> Extracted:
    files, size = 0, 0
    for member in members:
        path = _checked(member, limits)
        target = folder / path
        if member.kind == "folder":
            _make_folder(target, member.name)
            continue
        if any(part in LITTER or part.startswith("._") for part in path.parts):
            continue
        files += 1
        if files > limits.files:
            raise BadArchive(f"More than {limits.files} files; stopped at '{member.name}'.")
        _make_folder(target.parent, member.name)
        size += _copy(member, target, min(limits.file, most - size))
    return Extracted(files, size)


def _checked(member: _Member, limits: Limits) -> PurePosixPath:
    """Return the member's name as a path inside the destination. Raises BadArchive."""
    shown = ascii(member.name[:200])
    if member.kind not in {"file", "folder"}:
        raise BadArchive(f"{shown} is a {member.kind}; only regular files and folders are accepted.")
    # Windows' separators and drives are refused everywhere, so that an archive means the same on every machine.
    if not member.name or _UNPLAIN.search(member.name):
        raise BadArchive(f"{shown} is not a plain file name.")
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise BadArchive(f"{shown} points outside the archive.")
    if len(path.parts) > limits.depth or any(len(part.encode(errors="replace")) > limits.name for part in path.parts):
        raise BadArchive(f"{shown} is nested too deeply or too long.")
    return path


def _make_folder(path: Path, name: str) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadArchive(f"{name!a} uses another member, a file, as a folder.") from None


def _copy(member: _Member, target: Path, most: int) -> int:
    source = member.open()
    if source is None:
        raise BadArchive(f"{member.name!a} has no content.")
    written = 0
    try:
        # Mode "x": a name that comes twice is refused, also where the file system ignores case.
        with source, target.open("xb") as out:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                if written > most:
                    raise BadArchive(f"{member.name!a} unpacks to more than is allowed; is this a zip bomb?")
                out.write(chunk)
    except FileExistsError:
        raise BadArchive(f"{member.name!a} is in the archive twice.") from None
    except UnicodeEncodeError:
        raise BadArchive(f"{member.name!a} is not a name this file system can hold.") from None
    return written


def _members(archive: Path) -> Iterator[_Member]:
    with archive.open("rb") as file:
        head = file.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(archive)
    if head.startswith(b"\x1f\x8b"):
        return _tar(archive, "r|gz")
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        if "zst" not in tarfile.TarFile.OPEN_METH:
            raise BadArchive("This server's Python cannot unpack zstd.", hint="Pack the data as .zip or .tar.gz.")
        return _tar(archive, "r|zst")
    if head[257:262] == b"ustar":
        return _tar(archive, "r|")
    raise BadArchive(f"'{archive.name}' is no archive we can read.", hint="Send a .zip, .tar, .tar.gz or .tar.zst.")


def _zip(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            if info.flag_bits & 1:
                raise BadArchive(f"{info.filename!a} is encrypted.")
            kind = "folder" if info.is_dir() else _kind(info.external_attr >> 16)
            # The raw name: `filename` is cut at a NUL, which would hide what stands after it.
            yield _Member(info.orig_filename, kind, partial(packed.open, info))


def _kind(mode: int) -> str:
    """Tell the kind from a Unix mode; 0 comes from systems without modes."""
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_IFMT(mode) in {0, stat.S_IFREG} else "special file"


def _tar(archive: Path, mode: str) -> Iterator[_Member]:
    # A stream is read once, front to back, so a bomb is met before it is unpacked.
    with tarfile.open(archive, mode) as packed:  # type: ignore[call-overload]
        for info in packed:
            if info.isreg() and not info.issparse():
                kind = "file"
            elif info.isdir():
                kind = "folder"
            else:
                kind = "link" if info.issym() or info.islnk() else "special file"
            yield _Member(info.name, kind, partial(packed.extractfile, info))
