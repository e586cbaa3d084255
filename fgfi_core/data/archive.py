"""Unpack an uploaded archive into a new folder, or refuse it and leave nothing behind.

Archives come from strangers. Only regular files and folders with plain relative names are written, names, count, size
and ratio are limited while the bytes flow, and nothing appears at the destination before all of it is there.
"""

import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fgfi_core.data.members import CHUNK, DAMAGE, BadArchive, Member, members

__all__ = ["BadArchive", "Extracted", "Limits", "extract"]

# What packing tools leave beside the data; passed over, but only after their names were checked like all others.
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")


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
        with closing(members(archive)) as found:  # Also when a member is refused half-way.
            extracted = _write(found, folder, limits, most)
        if not extracted.files:
            raise BadArchive("The archive holds no files.")
        folder.chmod(0o755)
        folder.rename(destination)
    except DAMAGE as error:
        raise BadArchive(f"The archive is damaged or packed in an unknown way: {error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return extracted


def _write(members: Iterator[Member], folder: Path, limits: Limits, most: int) -> Extracted:
    files, size = 0, 0
    seen: dict[str, str] = {}
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
        # Two names that a file system may take for one: macOS and Windows would lose a file.
        earlier = seen.setdefault(unicodedata.normalize("NFC", str(path)).casefold(), str(path))
        if earlier != str(path):
            raise BadArchive(f"{member.name!a} and {earlier!a} differ only in case or in how letters are composed.")
        _make_folder(target.parent, member.name)
        size += _copy(member, target, min(limits.file, most - size))
    return Extracted(files, size)


def _checked(member: Member, limits: Limits) -> PurePosixPath:
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


def _copy(member: Member, target: Path, most: int) -> int:
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
