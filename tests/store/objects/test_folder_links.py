"""Links inside the storage folder lead nowhere: whoever can lay one there gains no file outside."""

from pathlib import Path

import pytest

from store.errors import ObjectMissing
from store.objects import FolderStore, StorageRefused


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    return folder


@pytest.fixture
def objects(tmp_path: Path, outside: Path) -> FolderStore:
    store = FolderStore(tmp_path / "objects")
    store.put("jobs/1/x", [b"x"])
    (tmp_path / "objects" / "jobs" / "folder").symlink_to(outside)
    (tmp_path / "objects" / "jobs" / "file").symlink_to(outside / "secret")
    return store


@pytest.mark.parametrize("key", ["jobs/folder/secret", "jobs/file"])
def test_nothing_is_read_through_a_link(objects: FolderStore, key: str) -> None:
    with pytest.raises(ObjectMissing):
        objects.get(key)
    with pytest.raises(ObjectMissing):
        objects.head(key)
    with pytest.raises(ObjectMissing):
        objects.copy(key, "copies/1")


def test_nothing_is_written_through_a_link(objects: FolderStore, outside: Path) -> None:
    with pytest.raises(StorageRefused, match="link lies in the way"):
        objects.put("jobs/folder/new", [b"new"])
    with pytest.raises(StorageRefused, match="link lies in the way"):
        objects.put("jobs/folder/deeper/new", [b"new"])
    objects.put("jobs/file", [b"new"])

    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"
    assert b"".join(objects.get("jobs/file")) == b"new"


def test_nothing_is_deleted_through_a_link(objects: FolderStore, outside: Path) -> None:
    objects.delete("jobs/folder/secret")
    objects.delete("jobs/file")
    assert (outside / "secret").read_bytes() == b"secret"


def test_nothing_is_listed_through_a_link(objects: FolderStore) -> None:
    assert [found.key for found in objects.list()] == ["jobs/1/x"]
    assert list(objects.list("jobs/folder")) == []


def test_the_root_itself_may_be_a_link(tmp_path: Path, objects: FolderStore) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "objects")
    assert b"".join(FolderStore(tmp_path / "link").get("jobs/1/x")) == b"x"
    assert objects.head("jobs/1/x").size == 1
