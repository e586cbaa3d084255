"""Archives are told by their first bytes."""

import gzip
import io
import tarfile
import zipfile

import pytest

from api.archive_upload import kind, require_archive
from api.problems import Problem


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    return buffer.getvalue()


def a_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (a_zip(), "zip"),
        (a_tar(), "tar"),
        (gzip.compress(a_tar()), "gzip"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (b"\x89PNG\r\n", None),
        (b"PK", None),
        (b"", None),
    ],
    ids=["zip", "tar", "gzip", "zstd", "picture", "too-short", "empty"],
)
def test_each_kind_is_known(content: bytes, found: str | None) -> None:
    assert kind(content) == found


def test_anything_else_is_refused_with_its_first_bytes() -> None:
    with pytest.raises(Problem, match="begins with the bytes 68 65 6c 6c 6f") as refused:
        require_archive(b"hello")
    assert refused.value.status == 415
