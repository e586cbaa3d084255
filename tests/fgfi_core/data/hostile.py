"""Hostile archives, one of each kind, with the words that each is refused with.

`python -m tests.fgfi_core.data.hostile` writes the table of docs/security.md anew.
"""

import io
import os
import stat
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from fgfi_core.data.archive import Limits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PAGE = Path(__file__).resolve().parents[3] / "docs" / "security.md"
BEGIN, END = "<!-- archives: begin -->\n", "<!-- archives: end -->\n"
# Small, so that a bomb of a test need not be large.
LIMITS = Limits(files=4, total=2_000_000, file=1_000_000, free=500_000)
Make = Callable[[], bytes]


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return kept.getvalue()


def tarred(*members: tuple[str, bytes], **header: object) -> bytes:
    """A tar of these; header: fields of each member's."""
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in header.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(content))
    return kept.getvalue()


def special_in_zip(mode: int) -> bytes:
    """A zip with a member of this Unix mode."""
    info = zipfile.ZipInfo("member")
    info.external_attr = (mode | 0o777) << 16
    return zipped((info, b"/etc/passwd"))


def directory_entry(archive: bytes, offset: int, value: bytes) -> bytes:
    """The zip with bytes of its first member's entry in the directory changed."""
    at = archive.index(b"PK\x01\x02") + offset
    return archive[:at] + value + archive[at + len(value) :]


def lying_zip64() -> bytes:
    """A zip whose 64-bit end claims a directory of 8 GiB."""
    archive = zipped(("a.txt", b"x"))
    end = archive.index(b"PK\x05\x06")
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**27, 2**27, 2**33, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    return archive[:end] + record + locator + archive[end:]


def sparse_tar() -> bytes:
    """A tar that says a member of 1 TB is one hole."""
    header = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": str(10**12),
        "GNU.sparse.name": "a",
    }
    return tarred(("member", b"1\n0\n0\n" + bytes(506)), pax_headers=header)


def doubled(content: bytes) -> bytes:
    """gzip in gzip: what comes out is another archive, not a tar."""
    return _gzip(_gzip(content))


def _gzip(content: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(content) + packer.flush()


def random(count: int) -> bytes:
    """Bytes that no packer makes smaller."""
    return os.urandom(count)


ARCHIVES: dict[str, tuple[Make, str]] = {
    "zip: absolute path": (lambda: zipped(("/etc/evil", b"x")), "'/etc/evil' points outside the archive."),
    "zip: parent path": (lambda: zipped(("a/../../evil", b"x")), "'a/../../evil' points outside the archive."),
    "zip: backslash": (lambda: zipped(("a\\..\\evil", b"x")), "'a\\\\..\\\\evil' is not a plain file name."),
    "zip: drive letter": (lambda: zipped(("C:/evil", b"x")), "'C:/evil' is not a plain file name."),
    "zip: NUL in a name": (
        lambda: zipped(("good.txtXevil", b"x")).replace(b"good.txtXevil", b"good.txt\0evil"),
        "'good.txt\\x00evil' is not a plain file name.",
    ),
    "zip: name of 300 characters": (lambda: zipped(("x" * 300, b"x")), "is nested too deeply or too long."),
    "zip: 30 folders deep": (lambda: zipped(("/".join("a" * 30), b"x")), "is nested too deeply or too long."),
    "zip: symbolic link": (lambda: special_in_zip(stat.S_IFLNK), "'member' is a link; only regular files"),
    "zip: fifo": (lambda: special_in_zip(stat.S_IFIFO), "'member' is a special file; only regular files"),
    "zip: device": (lambda: special_in_zip(stat.S_IFBLK), "'member' is a special file; only regular files"),
    "zip: too many members": (
        lambda: zipped(*((f"{n}.txt", b"x") for n in range(6))),
        "More than 4 files; stopped at '4.txt'.",
    ),
    "zip: one member too large": (lambda: zipped(("a", random(1_100_000))), "'a' unpacks to more than is allowed"),
    "zip: all members too large": (
        lambda: zipped(*((f"{n}", random(900_000)) for n in range(3))),
        "'2' unpacks to more than is allowed",
    ),
    "zip: ratio bomb": (
        lambda: zipped(("a", bytes(900_000))),
        "'a' unpacks to more than is allowed; is this a zip bomb?",
    ),
    "zip: bomb within a bomb": (
        lambda: zipped(("a.zip", zipped(("b", bytes(10**8))) * 9)),
        "'a.zip' unpacks to more than is allowed",
    ),
    "zip: same name twice": (
        lambda: zipped(("a.txt", b"x"), ("b.txt", b"y")).replace(b"b.txt", b"a.txt"),
        "'a.txt' is in the archive twice.",
    ),
    "zip: names that differ in case": (
        lambda: zipped(("a.txt", b"x"), ("A.TXT", b"y")),
        "'A.TXT' and 'a.txt' differ only in case or in how letters are composed.",
    ),
    "zip: names composed in two ways": (
        lambda: zipped(("\u00e9.txt", b"x"), ("e\u0301.txt", b"y")),
        "'e\\u0301.txt' and '\\xe9.txt' differ only in case or in how letters are composed.",
    ),
    "zip: a file used as a folder": (
        lambda: zipped(("a", b"x"), ("a/b", b"y")),
        "'a/b' uses another member, a file, as a folder.",
    ),
    "zip: encrypted": (lambda: directory_entry(zipped(("a.txt", b"x")), 8, b"\x01"), "'a.txt' is encrypted."),
    "zip: unpacker that takes memory": (
        lambda: zipped(("a.txt", b"x"), method=zipfile.ZIP_LZMA),
        "'a.txt' is packed by a method other than store, deflate and bzip2.",
    ),
    "zip: size smaller than it is": (
        lambda: directory_entry(zipped(("a.txt", b"x" * 100)), 24, struct.pack("<I", 10)),
        "The archive is damaged or packed in an unknown way: Bad CRC-32",
    ),
    "zip: zip64 that lies": (lying_zip64, "The archive's list of members is too large to be one."),
    "zip: cut short": (
        lambda: zipped(("a.txt", random(5000)))[:2500],
        "The archive is damaged or packed in an unknown way: File is not a zip file.",
    ),
    "zip: no files in it": (lambda: zipped(("folder/", b"")), "The archive holds no files."),
    "tar: absolute path": (lambda: tarred(("/etc/evil", b"x")), "'/etc/evil' points outside the archive."),
    "tar: parent path": (lambda: tarred(("../evil", b"x")), "'../evil' points outside the archive."),
    "tar: symbolic link": (
        lambda: tarred(("member", b""), type=tarfile.SYMTYPE, linkname="/etc"),
        "'member' is a link; only regular files",
    ),
    "tar: hard link": (
        lambda: tarred(("member", b""), type=tarfile.LNKTYPE, linkname="other"),
        "'member' is a link; only regular files",
    ),
    "tar: fifo": (lambda: tarred(("member", b""), type=tarfile.FIFOTYPE), "'member' is a special file;"),
    "tar: device": (lambda: tarred(("member", b""), type=tarfile.CHRTYPE), "'member' is a special file;"),
    "tar: sparse file": (sparse_tar, "is a special file; only regular files and folders are accepted."),
    "tar: same name twice": (lambda: tarred(("a.txt", b"x"), ("a.txt", b"y")), "'a.txt' is in the archive twice."),
    "tar: too many members": (
        lambda: tarred(*((f"{n}.txt", b"x") for n in range(6))),
        "More than 4 files; stopped at '4.txt'.",
    ),
    "tar: a name of 2 MB": (lambda: tarred(("x" * 2_000_000, b"x")), "The archive has a header too large to be one."),
    "tar: damaged header": (
        lambda: tarred(("a.txt", b""), ("b.txt", b"")).replace(b"b.txt", b"c.txt"),
        "The archive is damaged or cut short: bad checksum.",
    ),
    "tar: cut short": (lambda: tarred(("a.txt", random(5000)))[:3000], "The archive is damaged"),
    "tar.gz: ratio bomb": (lambda: _gzip(tarred(("a", bytes(900_000)))), "'a' unpacks to more than is allowed"),
    "tar.gz: gzip in gzip": (lambda: doubled(tarred(("a", b"x"))), "The archive is damaged"),
    "tar.gz: endless padding": (
        lambda: _gzip(tarred(("a", b"x")) + bytes(70 * 2**20)),
        "The archive goes on for long after its last file.",
    ),
    "tar.zst: ratio bomb": (
        lambda: zstd.compress(tarred(("a", bytes(900_000)))),
        "'a' unpacks to more than is allowed",
    ),
    "another format": (lambda: b"Rar!\x1a\x07\x01\x00" + bytes(600), "The file is no archive we can read."),
    "nothing": (lambda: b"", "The file is no archive we can read."),
}


def table() -> str:
    """All of it in Markdown."""
    rows = (f"| {name} | {message.replace('|', chr(92) + '|')} |" for name, (_, message) in ARCHIVES.items())
    return "\n".join(("| archive | is refused with |", "|---|---|", *rows)) + "\n"


def page() -> str:
    """docs/security.md with the table as it is now."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page())
