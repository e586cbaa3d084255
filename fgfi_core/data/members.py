"""The members of an uploaded archive, whatever its format, front to back, with every damage an error."""

import gzip
import stat
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, Self, cast

from fgfi_core.errors import BadData

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK = 2**20
MAX_PADDING = 64 * 2**20
# Long names and the like; tarfile holds them in memory.
MAX_EXTENSION = 2**20
# Of a zip: the list of members, which a reader holds in memory; the end of the file, in which its size stands.
MAX_DIRECTORY = 64 * 2**20
_TAIL = 2**16 + 200
_IN_ZIP64 = 2**32 - 1
# Their unpackers take little memory, whatever an archive asks for.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zstd.ZstdError,
    zlib.error,
    EOFError,
    NotImplementedError,
    ValueError,
)


PACK_AGAIN = "Pack the data set's folder anew, plain files and folders only, and upload it again."


class BadArchive(BadData):
    """The archive is refused; the message names the member and the rule."""

    code = "bad_archive"

    def __init__(self, message: str, *, hint: str = PACK_AGAIN) -> None:
        super().__init__(message, hint=hint)


class Member(NamedTuple):
    """One member: its name as packed, its kind ("file", "folder", "link", "special file"), and how to open it."""

    name: str
    kind: str
    open: Callable[[], IO[bytes] | None]


def members(archive: Path) -> Generator[Member, None, None]:
    """Tell the format by the content and yield each member in turn; open one before asking for the next.

    Raises BadArchive, and what the format's own reader raises for damage.
    """
    with archive.open("rb") as file:
        head = file.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(archive)
    if head.startswith(b"\x1f\x8b"):
        return _tar(cast("BinaryIO", gzip.open(archive)))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _tar(cast("BinaryIO", zstd.open(archive)))
    if head[257:262] == b"ustar":
        return _tar(archive.open("rb"))
    raise BadArchive("The file is no archive we can read.", hint="Send a .zip, .tar, .tar.gz or .tar.zst.")


def _zip(archive: Path) -> Generator[Member, None, None]:
    _require_directory(archive)
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            if info.flag_bits & 1:
                raise BadArchive(f"{info.filename!a} is encrypted.")
            if info.compress_type not in METHODS:
                raise BadArchive(f"{info.filename!a} is packed by a method other than store, deflate and bzip2.")
            kind = "folder" if info.is_dir() else _kind(info.external_attr >> 16)
            # The raw name: `filename` is cut at a NUL, which would hide what stands after it.
            yield Member(info.orig_filename, kind, partial(packed.open, info))


def _require_directory(archive: Path) -> None:
    """Refuse a zip whose list of members would fill the memory, which zipfile reads whole. Both sizes count, for in a
    hostile file the old and the 64-bit one may differ.
    """
    with archive.open("rb") as file:
        file.seek(max(0, archive.stat().st_size - _TAIL))
        tail = file.read()
    sizes = [0]
    for mark, at, layout in ((b"PK\x05\x06", 12, "<I"), (b"PK\x06\x06", 40, "<Q")):
        place = tail.rfind(mark)
        found = tail[place + at : place + at + struct.calcsize(layout)] if place >= 0 else b""
        if len(found) == struct.calcsize(layout):
            sizes.append(struct.unpack(layout, found)[0])
    if any(MAX_DIRECTORY < size != _IN_ZIP64 for size in sizes):
        raise BadArchive("The archive's list of members is too large to be one.")


def _kind(mode: int) -> str:
    """Tell the kind from a Unix mode; 0 comes from systems without modes."""
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_IFMT(mode) in {0, stat.S_IFREG} else "special file"


def _tar(source: IO[bytes]) -> Generator[Member, None, None]:
    # A stream is read once, front to back, so a bomb is met before it is unpacked.
    with source, tarfile.open(fileobj=source, mode="r|", tarinfo=_Header) as packed:
        for info in packed:
            if info.isreg() and not info.issparse():
                kind = "file"
            elif info.isdir():
                kind = "folder"
            else:
                kind = "link" if info.issym() or info.islnk() else "special file"
            yield Member(info.name, kind, partial(packed.extractfile, info))
        # A compressed stream's checksum stands behind its last byte.
        for _ in range(MAX_PADDING // CHUNK):
            if not source.read(CHUNK):
                return
    raise BadArchive("The archive goes on for long after its last file.")


class _Header(tarfile.TarInfo):
    """A tar header that is an error when it is one: tarfile takes a damaged or missing header for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str | None, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]  # typeshed: encoding may be None
        except tarfile.HeaderError as error:
            if not buf.strip(b"\0") and len(buf) == tarfile.BLOCKSIZE:
                # A block of zeros is the proper end.
                raise
            raise BadArchive(f"The archive is damaged or cut short: {error}.") from error
        if header.type in _EXTENSIONS and header.size > MAX_EXTENSION:
            raise BadArchive("The archive has a header too large to be one.")
        return header
