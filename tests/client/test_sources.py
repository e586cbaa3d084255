import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from client import archive
from client.errors import ClientError
from client.sources import FileSource, Source, TarSource, sha256_of


def content(source: Source, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(source.read(start, source.size if end is None else end))


@pytest.fixture
def tar(folder: Path) -> TarSource:
    """A folder with an empty file, one of a whole block, and a name that needs two headers."""
    (folder / "empty.txt").write_bytes(b"")
    (folder / "block.bin").write_bytes(b"b" * 512)
    (folder / ("größe-" + "x" * 120 + ".jpg")).write_bytes(b"1")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in {".jpg", ".txt", ".bin"})
    return TarSource(folder, [path for path in files if not path.is_symlink()])


def test_a_folder_is_a_tar_of_the_size_known_beforehand(tar: TarSource, folder: Path) -> None:
    whole = content(tar)
    assert len(whole) == tar.size
    with tarfile.open(fileobj=io.BytesIO(whole)) as opened:
        found = {member.name: opened.extractfile(member) for member in opened}
        assert {name: file.read() for name, file in found.items() if file} == {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
        }


@pytest.mark.parametrize("length", [1, 100, 511, 512, 513, 1000, 4096])
def test_ranges_of_any_length_make_the_whole(tar: TarSource, length: int) -> None:
    pieces = [content(tar, start, min(start + length, tar.size)) for start in range(0, tar.size, length)]
    assert b"".join(pieces) == content(tar)
    assert {len(piece) for piece in pieces[:-1]} == {length}


def test_the_same_folder_makes_the_same_tar(tar: TarSource, folder: Path) -> None:
    before = content(tar)
    (folder / "list.txt").touch()
    assert content(tar) == before


def test_the_digest_is_that_of_the_bytes_and_counts_them(tar: TarSource) -> None:
    counted: list[int] = []
    assert sha256_of(tar, counted.append) == hashlib.sha256(content(tar)).hexdigest()
    assert sum(counted) == tar.size


def test_a_file_is_read_from_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "cells.zip"
    path.write_bytes(bytes(range(256)) * 10)
    source = FileSource(path, "application/zip")
    assert content(source, 700, 1300) == path.read_bytes()[700:1300]


def test_a_file_that_became_shorter_is_named(tar: TarSource, folder: Path) -> None:
    (folder / "block.bin").write_bytes(b"short")
    with pytest.raises(ClientError, match=r"block\.bin became shorter"):
        content(tar)


def test_what_is_large_goes_in_parts(folder: Path, tmp_path: Path) -> None:
    assert archive.parted(folder) is None
    assert archive.counted(folder) == archive.size(folder)
    (folder / "JPEGImages" / "big.jpg").write_bytes(bytes(archive.WHOLE_BYTES))
    source = archive.parted(folder)
    assert source is not None
    assert source.media_type == "application/x-tar"
    assert archive.counted(folder) == source.size == len(content(source))
    (tmp_path / "big.zip").write_bytes(bytes(archive.WHOLE_BYTES + 1))
    packed = archive.parted(tmp_path / "big.zip")
    assert packed is not None
    assert (packed.media_type, packed.size) == ("application/zip", archive.WHOLE_BYTES + 1)
