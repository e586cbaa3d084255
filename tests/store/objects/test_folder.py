"""What is the folder's alone; what every store does is in tests/integration/store/objects."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from store.errors import ObjectDamaged, ObjectMissing, TooLarge
from store.objects import FolderStore, StorageAway, StorageRefused, open_store

KEY = "jobs/job_1/attempts/1/final.pt"


@pytest.fixture
def objects(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def broken() -> Iterator[bytes]:
    yield b"half"
    raise ConnectionResetError


def test_an_object_is_a_file_of_its_key(objects: FolderStore, tmp_path: Path) -> None:
    objects.put(KEY, [b"x"])
    assert (tmp_path / "objects" / KEY).read_bytes() == b"x"
    assert objects.presign(KEY, timedelta(minutes=1)) is None


def test_a_write_that_fails_leaves_no_file(objects: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        objects.put(KEY, broken())
    with pytest.raises(ObjectDamaged):
        objects.put(KEY, [b"four"], size=5)
    with pytest.raises(TooLarge):
        objects.put(KEY, [b"four"], max_bytes=3)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", "a/./b", "~incoming/x", "a\0b", "a b"])
def test_a_key_cannot_leave_the_store(objects: FolderStore, key: str) -> None:
    with pytest.raises(ValueError, match="no object key"):
        objects.put(key, [b"x"])


def test_what_a_dead_process_left_is_swept_after_a_day(objects: FolderStore, tmp_path: Path) -> None:
    draft = tmp_path / "objects" / "~incoming" / "left"
    draft.touch()
    objects.sweep()
    assert draft.exists()

    long_ago = draft.stat().st_mtime - timedelta(days=2).total_seconds()
    os.utime(draft, (long_ago, long_ago))
    objects.sweep()
    assert not draft.exists()


def test_the_last_object_of_a_folder_takes_the_folder_with_it(objects: FolderStore, tmp_path: Path) -> None:
    objects.put("jobs/1/a/x", [b"x"])
    objects.put("jobs/2/b/y", [b"y"])
    objects.delete("jobs/1/a/x")
    assert sorted(path.name for path in (tmp_path / "objects" / "jobs").iterdir()) == ["2"]
    objects.delete("jobs/2/b/y")
    assert [path.name for path in (tmp_path / "objects").iterdir()] == ["~incoming"]


def test_no_object_takes_a_folders_place(objects: FolderStore) -> None:
    objects.put("jobs/1/x", [b"x"])
    with pytest.raises(StorageRefused, match="in the way"):
        objects.put("jobs/1", [b"y"])
    with pytest.raises(StorageRefused, match="in the way"):
        objects.put("jobs/1/x/y", [b"y"])
    assert b"".join(objects.get("jobs/1/x")) == b"x"


def test_a_reader_that_nobody_reads_closes_its_file(objects: FolderStore) -> None:
    objects.put(KEY, [b"x"])
    before = open_files()
    objects.get(KEY)
    with pytest.raises(ObjectMissing):
        objects.get("jobs/job_1")
    assert open_files() == before


def test_a_pipe_in_the_folder_holds_nobody_up(objects: FolderStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "objects" / "pipe")
    with pytest.raises(ObjectMissing):
        objects.get("pipe")
    assert list(objects.list()) == []


def test_two_processes_make_the_same_folders_at_once(objects: FolderStore, tmp_path: Path) -> None:
    code = (
        "import sys; from store.objects import FolderStore\n"
        "store = FolderStore(sys.argv[1]); sys.stdin.read(1)\n"
        "for turn in range(15):\n"
        "    store.put(f'jobs/{turn}/a/b/{sys.argv[2]}', [b'x'])\n"
        "    store.put(f'brief/{turn % 3}/{sys.argv[2]}', [b'x'])\n"
        "    store.delete(f'brief/{turn % 3}/{sys.argv[2]}')\n"
    )
    root = str(tmp_path / "objects")
    writers = [
        subprocess.Popen([sys.executable, "-c", code, root, name], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    errors = [writer.communicate(b"!")[1] for writer in writers]

    assert errors == [b"", b""]
    assert len(list(objects.list("jobs"))) == 30
    assert list(objects.list("brief")) == []


def test_a_root_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageAway, match="Not a directory"):
        FolderStore(tmp_path / "file" / "objects")


def test_a_folder_url_may_have_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "my objects"
    open_store(folder.as_uri()).put(KEY, [b"x"])
    assert (folder / KEY).read_bytes() == b"x"


def test_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="file:///folder or s3://bucket/prefix"):
        open_store("ftp://host/x")
