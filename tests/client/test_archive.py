import io
import tarfile
from pathlib import Path

import pytest

from client import archive
from client.errors import ClientError


def packed(folder: Path) -> bytes:
    return b"".join(archive.read(folder, lambda _count: None))


def test_a_folder_becomes_a_tar_gz_of_its_regular_visible_files(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(folder))) as opened:
        content = {member.name: opened.extractfile(member) for member in opened}
        assert sorted(content) == ["JPEGImages/a.jpg", "list.txt"]
        image = content["JPEGImages/a.jpg"]
        assert image is not None
        assert image.read() == bytes(range(256)) * 5


def test_the_same_folder_makes_the_same_archive(folder: Path) -> None:
    first = packed(folder)
    (folder / "list.txt").touch()

    assert packed(folder) == first


def test_progress_counts_every_byte_of_the_source(folder: Path) -> None:
    counted: list[int] = []

    list(archive.read(folder, counted.append))

    assert sum(counted) == archive.size(folder) == 5 * 256 + 2


def test_a_file_travels_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "cells.zip").write_bytes(b"PK whatever")

    assert packed(tmp_path / "cells.zip") == b"PK whatever"
    assert archive.media_type(tmp_path / "cells.zip") == "application/zip"


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no archive")

    with pytest.raises(ClientError, match=r"notes\.txt is neither a folder nor an archive"):
        archive.media_type(tmp_path / "notes.txt")


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="has no files in it"):
        packed(tmp_path)


def test_a_long_name_with_umlauts_survives(tmp_path: Path) -> None:
    name = "größe-" + "x" * 150 + ".jpg"
    (tmp_path / name).write_bytes(b"1")

    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path))) as opened:
        assert opened.getnames() == [name]
