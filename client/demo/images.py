"""The demo's images: BCCD, blood cells under a microscope, given by folder or fetched from their public home."""

import hashlib
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from platformdirs import user_cache_path

from client.errors import EXIT_USAGE, ClientError

REPOSITORY = "https://github.com/Shenggan/BCCD_Dataset"
COMMIT = "d272fb14cdff6e473fafeeeba32aba5f560e9e43"
SHA256 = "d64afbb10475be79d49685b757715df7c5d2a5a4f691d1893e89ddd7892a94d9"
"""What `content_hash` gives for the data set at that commit."""

_SPLITS = ("trainval", "test")
# Of the archive only these files are read, whatever else it may hold.
_WANTED = re.compile(
    r"[^/]+/BCCD/(Annotations/BloodImage_\d+\.xml|JPEGImages/BloodImage_\d+\.jpg|ImageSets/Main/[a-z]+\.txt)"
)
_LARGEST_FILE = 10_000_000
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


def find(given: Path | None) -> Path:
    """The folder with the images: the given one, `FGFI_DATA`/bccd, a verified download. Raises ClientError."""
    if given is not None:
        if not given.is_dir():
            raise ClientError(f"there is no folder {given}", exit_code=EXIT_USAGE)
        # A clone of the repository holds the data set one level down.
        return given / "BCCD" if (given / "BCCD").is_dir() else given
    if shared := os.environ.get("FGFI_DATA"):
        folder = Path(shared) / "bccd"
        if folder.is_dir():
            return folder
    return _downloaded(user_cache_path("fgfi", appauthor=False) / f"bccd-{COMMIT[:12]}")


def content_hash(root: Path) -> str:
    """SHA-256 over the names and bytes of the lists of both splits and of every image and annotation they name."""
    lists = [f"ImageSets/Main/{split}.txt" for split in _SPLITS]
    ids = sorted({line.strip() for name in lists for line in (root / name).read_text().splitlines() if line.strip()})
    files = [*lists, *(f"Annotations/{i}.xml" for i in ids), *(f"JPEGImages/{i}.jpg" for i in ids)]
    digest = hashlib.sha256()
    for name in files:
        digest.update(f"{name}\0{hashlib.sha256((root / name).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _downloaded(folder: Path) -> Path:
    if _is_right(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fetched = Path(scratch) / "bccd"
        try:
            with _archive() as archive:
                _unpack(archive, fetched)
        except (httpx.HTTPError, OSError, tarfile.TarError) as error:
            raise _none_possible(str(error) or type(error).__name__) from error
        if not _is_right(fetched):
            raise _none_possible("what came is not the data set at the pinned commit: its content hash differs")
        fetched.replace(folder)
    return folder


@contextmanager
def _archive() -> Iterator[tarfile.TarFile]:
    url = f"{REPOSITORY}/archive/{COMMIT}.tar.gz"
    with tempfile.TemporaryFile() as file:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                file.write(chunk)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            yield archive


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    for member in archive:
        matched = _WANTED.fullmatch(member.name)
        if matched is None or not member.isreg() or member.size > _LARGEST_FILE:
            continue
        source = archive.extractfile(member)
        if source is not None:
            target = folder / matched[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read())


def _is_right(folder: Path) -> bool:
    try:
        return content_hash(folder) == SHA256
    except OSError:
        return False


def _none_possible(reason: str) -> ClientError:
    return ClientError(
        f"the demo's images cannot be had: {reason}",
        hints=(
            f"get {REPOSITORY} at commit {COMMIT[:12]} yourself and pass its folder BCCD: make demo DATA=folder",
            "or set FGFI_DATA to a folder that holds them as bccd/",
        ),
    )
