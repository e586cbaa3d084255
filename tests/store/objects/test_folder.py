import hashlib
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from store.errors import ObjectDamaged, ObjectMissing, TooLarge
from store.objects import FolderStore, ObjectStore, open_store

KEY = "jobs/job_1/attempts/1/final.pt"


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return FolderStore(tmp_path / "objects")


def content(objects: ObjectStore, key: str = KEY) -> bytes:
    return b"".join(objects.get(key))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_put_is_read_back(objects: ObjectStore) -> None:
    stored = objects.put(KEY, [b"one", b"two"])

    assert content(objects) == b"onetwo"
    assert (stored.size, stored.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())


def test_a_range_is_the_bytes_from_start_to_before_end(objects: ObjectStore) -> None:
    objects.put(KEY, [b"0123456789"])
    assert b"".join(objects.get(KEY, start=2, end=5)) == b"234"


def test_a_range_without_end_goes_to_the_end(objects: ObjectStore) -> None:
    objects.put(KEY, [b"0123456789"])
    assert b"".join(objects.get(KEY, start=7)) == b"789"


def test_a_stream_that_breaks_leaves_nothing(objects: ObjectStore, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        objects.put(KEY, broken())
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("promise", [{"size": 5}, {"sha256": "0" * 64}])
def test_content_that_is_not_what_was_promised_leaves_nothing(
    objects: ObjectStore, tmp_path: Path, promise: dict[str, object]
) -> None:
    with pytest.raises(ObjectDamaged):
        objects.put(KEY, [b"four"], **promise)  # type: ignore[arg-type] # one of two keywords, each of its own type
    assert files_in(tmp_path) == []


def test_a_stream_past_its_limit_is_cut_off(objects: ObjectStore, tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    with pytest.raises(TooLarge):
        objects.put(KEY, endless(), max_bytes=10_000)
    assert files_in(tmp_path) == []


def test_a_failed_write_leaves_the_former_object(objects: ObjectStore) -> None:
    objects.put(KEY, [b"old"])
    with pytest.raises(ObjectDamaged):
        objects.put(KEY, [b"new"], size=99)
    assert content(objects) == b"old"


def test_reading_what_is_not_there_says_so_at_once(objects: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        objects.get("jobs/none")


def test_deleting_twice_is_fine(objects: ObjectStore) -> None:
    objects.put(KEY, [b"x"])
    objects.delete(KEY)
    objects.delete(KEY)
    with pytest.raises(ObjectMissing):
        objects.head(KEY)


def test_a_list_holds_what_begins_with_the_prefix(objects: ObjectStore) -> None:
    for key in ("jobs/a/1", "jobs/a/b/2", "datasets/x"):
        objects.put(key, [b"x"])
    assert sorted(found.key for found in objects.list("jobs/")) == ["jobs/a/1", "jobs/a/b/2"]


def test_a_write_under_way_is_not_listed(objects: ObjectStore) -> None:
    def looking() -> Iterator[bytes]:
        yield b"x"
        assert list(objects.list()) == []

    objects.put(KEY, looking())
    assert [found.key for found in objects.list()] == [KEY]


def test_a_copy_has_the_same_content(objects: ObjectStore) -> None:
    objects.put(KEY, [b"x"])
    objects.copy(KEY, "copies/1")
    assert content(objects, "copies/1") == b"x"


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", "a/./b", "~incoming/x", "a\0b", "a b"])
def test_a_key_cannot_leave_the_store(objects: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="no object key"):
        objects.put(key, [b"x"])


def test_what_a_dead_process_left_is_swept_after_a_day(objects: ObjectStore, tmp_path: Path) -> None:
    draft = tmp_path / "objects" / "~incoming" / "left"
    draft.touch()
    objects.sweep()
    assert draft.exists()

    long_ago = draft.stat().st_mtime - timedelta(days=2).total_seconds()
    os.utime(draft, (long_ago, long_ago))
    objects.sweep()
    assert not draft.exists()


def test_a_folder_url_may_have_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "my objects"
    open_store(folder.as_uri()).put(KEY, [b"x"])
    assert (folder / KEY).read_bytes() == b"x"


def test_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="file:///folder or s3://bucket/prefix"):
        open_store("ftp://host/x")
