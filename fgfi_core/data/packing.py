"""A folder as a zip, the same bytes whenever it is made: images as they are, texts compressed."""

import shutil
import zipfile
from pathlib import Path

from fgfi_core.errors import BadData

# What is compressed already gains nothing by it, and takes long.
TEXTS = frozenset({".xml", ".json", ".txt", ".yaml"})


def pack(folder: Path, target: Path) -> None:
    """Write every file below `folder` into the new zip `target`. Raises BadData when the disk refuses."""
    try:
        with zipfile.ZipFile(target, "x", allowZip64=True) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                _add(archive, path, path.relative_to(folder).as_posix())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise BadData(f"The archive cannot be written: {error.strerror}.") from error


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o644 << 16
    member.compress_type = zipfile.ZIP_DEFLATED if path.suffix in TEXTS else zipfile.ZIP_STORED
    member.file_size = path.stat().st_size  # Tells zipfile whether it needs the fields of large files.
    with path.open("rb") as source, archive.open(member, "w") as packed:
        shutil.copyfileobj(source, packed, 2**20)
