import io
import os
import tarfile
from pathlib import Path

import pytest

from client.demo import images


def test_the_images_at_hand_are_those_of_the_pinned_commit() -> None:
    data = os.environ.get("FGFI_DATA")
    if not data:
        pytest.skip("FGFI_DATA is not set: no real data at hand")

    assert images.content_hash(Path(data) / "bccd") == images.SHA256


@pytest.fixture
def small(tmp_path: Path) -> Path:
    root = tmp_path / "small"
    for name, content in {
        "ImageSets/Main/trainval.txt": "BloodImage_00001\n",
        "ImageSets/Main/test.txt": "BloodImage_00002\n",
        "Annotations/BloodImage_00001.xml": "<annotation/>",
        "Annotations/BloodImage_00002.xml": "<annotation></annotation>",
        "JPEGImages/BloodImage_00001.jpg": "one",
        "JPEGImages/BloodImage_00002.jpg": "two",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    "name",
    ["ImageSets/Main/test.txt", "Annotations/BloodImage_00002.xml", "JPEGImages/BloodImage_00001.jpg"],
)
def test_one_changed_byte_changes_the_hash(small: Path, name: str) -> None:
    before = images.content_hash(small)
    (small / name).write_text((small / name).read_text() + " ")

    assert images.content_hash(small) != before


def test_a_file_that_no_split_names_changes_nothing(small: Path) -> None:
    before = images.content_hash(small)
    (small / "JPEGImages" / "BloodImage_00003.jpg").write_text("three")

    assert images.content_hash(small) == before


def test_a_given_folder_is_taken(small: Path) -> None:
    assert images.find(small) == small


def test_of_a_clone_the_folder_with_the_images_is_taken(tmp_path: Path) -> None:
    (tmp_path / "BCCD").mkdir()

    assert images.find(tmp_path) == tmp_path / "BCCD"


def test_the_shared_folder_is_used_when_it_has_them(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small.rename(small.parent / "bccd")
    monkeypatch.setenv("FGFI_DATA", str(small.parent))

    assert images.find(None) == small.parent / "bccd"


def test_of_an_archive_only_the_images_and_their_labels_are_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in (
            "BCCD_Dataset-d272/BCCD/JPEGImages/BloodImage_00001.jpg",
            "BCCD_Dataset-d272/BCCD/../../evil.jpg",
            "BCCD_Dataset-d272/export.py",
        ):
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("BCCD_Dataset-d272/BCCD/Annotations/BloodImage_00001.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    packed.seek(0)

    with tarfile.open(fileobj=packed) as archive:
        images._unpack(archive, tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").rglob("*") if not path.is_dir()] == ["BloodImage_00001.jpg"]
