import io
import stat
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fgfi_core.data.archive import BadArchive, Limits, extract

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Files = dict[str, bytes]
DATA: Files = {"voc/Annotations/a.xml": b"<annotation/>", "voc/JPEGImages/a.jpg": bytes(range(256)) * 40}


def make_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: Files, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # the mode is a parameter
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def make_tgz(path: Path, files: Files) -> Path:
    return make_tar(path, files, "w:gz")


def make_zst(path: Path, files: Files) -> Path:
    plain = make_tar(path, files)
    plain.write_bytes(zstd.compress(plain.read_bytes()))
    return path


def make_tar_member(path: Path, change: Callable[[tarfile.TarInfo], None]) -> Path:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("member")
        change(info)
        archive.addfile(info)
    return path


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder, in which destinations are made."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.zst"])
def test_files_arrive_as_they_were_packed(tmp_path: Path, place: Path, kind: str) -> None:
    path = tmp_path / "upload"
    makers = {"zip": make_zip, "tar": make_tar, "tar.gz": make_tgz, "tar.zst": make_zst}
    archive = makers[kind](path, DATA)
    extracted = extract(archive, place / "new")
    assert {str(p.relative_to(place / "new")): p.read_bytes() for p in (place / "new").rglob("*.*")} == DATA
    assert extracted.files == 2
    assert extracted.size == sum(len(content) for content in DATA.values())
    assert left_in(place) == ["new"]


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "C:/evil", "a\\..\\evil", "a\nb", "x" * 300, "/".join("a" * 30)]
)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_names_that_are_not_plain_are_refused_and_leave_nothing(
    tmp_path: Path, place: Path, name: str, make: Callable[[Path, Files], Path]
) -> None:
    archive = make(tmp_path / "upload", {**DATA, name: b"x"})
    with pytest.raises(BadArchive):
        extract(archive, place / "new")
    assert left_in(place) == []
    assert not (tmp_path / "evil").exists()


def test_a_name_that_hides_behind_a_nul_is_refused(tmp_path: Path, place: Path) -> None:
    path = make_zip(tmp_path / "upload", {"good.txtXevil": b"x"})
    path.write_bytes(path.read_bytes().replace(b"good.txtXevil", b"good.txt\0evil"))
    with pytest.raises(BadArchive, match="not a plain file name"):
        extract(path, place / "new")


def symbolic(info: tarfile.TarInfo) -> None:
    info.type, info.linkname = tarfile.SYMTYPE, "/etc"


def hard(info: tarfile.TarInfo) -> None:
    info.type, info.linkname = tarfile.LNKTYPE, "other"


def fifo(info: tarfile.TarInfo) -> None:
    info.type = tarfile.FIFOTYPE


def device(info: tarfile.TarInfo) -> None:
    info.type = tarfile.BLKTYPE


@pytest.mark.parametrize(
    ("change", "kind"), [(symbolic, "link"), (hard, "link"), (fifo, "special file"), (device, "special file")]
)
def test_a_tar_holds_only_files_and_folders(
    tmp_path: Path, place: Path, change: Callable[[tarfile.TarInfo], None], kind: str
) -> None:
    with pytest.raises(BadArchive, match=f"'member' is a {kind}"):
        extract(make_tar_member(tmp_path / "upload", change), place / "new")
    assert left_in(place) == []


def test_a_link_in_a_zip_is_refused(tmp_path: Path, place: Path) -> None:
    with zipfile.ZipFile(tmp_path / "upload", "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadArchive, match="'link' is a link"):
        extract(tmp_path / "upload", place / "new")


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, place: Path) -> None:
    archive = make_zip(tmp_path / "upload", {"zeros": bytes(3_000_000)})
    with pytest.raises(BadArchive, match="'zeros' unpacks to more than is allowed"):
        extract(archive, place / "new", Limits(free=1_000_000))
    assert left_in(place) == []


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(files=1), "More than 1 files; stopped at 'voc/JPEGImages/a.jpg'"),
        (Limits(total=1000), "'voc/JPEGImages/a.jpg' unpacks to more"),
        (Limits(file=1000), "'voc/JPEGImages/a.jpg' unpacks to more"),
    ],
)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_limits_name_the_member_at_which_they_were_met(
    tmp_path: Path, place: Path, make: Callable[[Path, Files], Path], limits: Limits, message: str
) -> None:
    with pytest.raises(BadArchive, match=message):
        extract(make(tmp_path / "upload", DATA), place / "new", limits)


def test_a_name_that_comes_twice_is_refused(tmp_path: Path, place: Path) -> None:
    with tarfile.open(tmp_path / "upload", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("a.txt"))
    with pytest.raises(BadArchive, match=r"'a\.txt' is in the archive twice"):
        extract(tmp_path / "upload", place / "new")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path, place: Path) -> None:
    with pytest.raises(BadArchive, match="uses another member, a file, as a folder"):
        extract(make_zip(tmp_path / "upload", {"a": b"x", "a/b": b"y"}), place / "new")


def test_an_encrypted_member_is_refused(tmp_path: Path, place: Path) -> None:
    path = make_zip(tmp_path / "upload", {"a.txt": b"x"})
    content = bytearray(path.read_bytes())
    # The flags of the central directory's entry, which is what readers go by.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(BadArchive, match=r"'a\.txt' is encrypted"):
        extract(path, place / "new")


@pytest.mark.parametrize("make", [make_zip, make_tar, make_tgz, make_zst])
@pytest.mark.parametrize("part", [0.1, 0.3, 0.5])
def test_an_archive_cut_short_is_damaged_and_leaves_nothing(
    tmp_path: Path, place: Path, make: Callable[[Path, Files], Path], part: float
) -> None:
    path = make(tmp_path / "upload", DATA)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(BadArchive, match="damaged"):
        extract(path, place / "new")
    assert left_in(place) == []


def test_a_header_that_is_damaged_is_not_taken_for_the_end(tmp_path: Path, place: Path) -> None:
    path = make_tar(tmp_path / "upload", {"a.txt": b"", "b.txt": b"", "c.txt": b""})
    content = bytearray(path.read_bytes())
    content[512 + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadArchive, match="damaged or cut short: bad checksum"):
        extract(path, place / "new")
    assert left_in(place) == []


def test_a_compressed_stream_with_a_wrong_checksum_is_damaged(tmp_path: Path, place: Path) -> None:
    path = make_tar(tmp_path / "upload", DATA, "w:gz")
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadArchive, match="CRC check failed"):
        extract(path, place / "new")


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path, place: Path) -> None:
    def huge_name(info: tarfile.TarInfo) -> None:
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**30

    with pytest.raises(BadArchive, match="a header too large"):
        extract(make_tar_member(tmp_path / "upload", huge_name), place / "new")


def test_a_file_that_is_no_archive_is_told_what_to_send(tmp_path: Path, place: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BadArchive, match=r"no archive we can read\. Send a \.zip"):
        extract(tmp_path / "notes.txt", place / "new")


def test_an_archive_without_files_is_refused(tmp_path: Path, place: Path) -> None:
    with pytest.raises(BadArchive, match="holds no files"):
        extract(make_zip(tmp_path / "upload", {"folder/": b""}), place / "new")


def test_what_packing_tools_leave_is_passed_over(tmp_path: Path, place: Path) -> None:
    files = {"a.txt": b"x", "__MACOSX/._a.txt": b"y", ".DS_Store": b"z"}
    extract(make_zip(tmp_path / "upload", files), place / "new")
    assert left_in(place / "new") == ["a.txt"]


def test_a_folder_that_exists_is_never_written_into(tmp_path: Path, place: Path) -> None:
    (place / "new").mkdir()
    with pytest.raises(FileExistsError):
        extract(make_zip(tmp_path / "upload", DATA), place / "new")
    assert left_in(place / "new") == []
