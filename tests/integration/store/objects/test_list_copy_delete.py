from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from store.errors import ObjectMissing
from store.objects import ObjectStore, S3Store

KEY = "jobs/job_1/attempts/1/final.pt"


def keys(objects: ObjectStore, prefix: str = "") -> list[str]:
    return sorted(found.key for found in objects.list(prefix))


def test_an_empty_store_lists_nothing(objects: ObjectStore) -> None:
    assert keys(objects) == []
    assert keys(objects, "jobs/") == []


@pytest.mark.parametrize("prefix", ["jobs", "jobs/"])
def test_a_list_holds_what_lies_below_the_folder(objects: ObjectStore, prefix: str) -> None:
    for key in ("jobs/a/1", "jobs/a/b/2", "jobs.old/3", "jobs2/4", "datasets/jobs/5", "jo"):
        objects.put(key, [b"x"])
    assert keys(objects, prefix) == ["jobs/a/1", "jobs/a/b/2"]
    assert keys(objects, "jobs/a/b/") == ["jobs/a/b/2"]
    assert keys(objects, "jobs/a/1") == []
    assert len(keys(objects)) == 6


@pytest.mark.parametrize("prefix", ["/", "../", "a//", "~incoming/"])
def test_a_prefix_stays_inside_the_store(objects: ObjectStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="no object key"):
        list(objects.list(prefix))


def test_a_list_tells_sizes_and_times(objects: ObjectStore) -> None:
    objects.put(KEY, [b"x" * 1000])
    (found,) = objects.list()
    known = objects.head(KEY)
    assert (found.key, found.size) == (known.key, known.size)
    # An answer to HEAD has whole seconds.
    assert abs(found.modified - known.modified) < timedelta(seconds=1)


def test_a_list_of_more_than_a_thousand_is_whole(objects: ObjectStore) -> None:
    names = [f"many/{number:04}" for number in range(1005)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: objects.put(name, [b"x"]), names))
    assert keys(objects, "many/") == names


def test_a_write_under_way_is_not_listed(objects: ObjectStore) -> None:
    def looking() -> Iterator[bytes]:
        yield bytes(11 * 2**20)
        assert keys(objects) == []
        yield b"x"
        assert keys(objects) == []

    objects.put(KEY, looking())
    assert keys(objects) == [KEY]


def test_objects_may_be_deleted_while_they_are_listed(objects: ObjectStore) -> None:
    for number in range(20):
        objects.put(f"jobs/{number}/x", [b"x"])
    for found in objects.list("jobs/"):
        objects.delete(found.key)
    assert keys(objects) == []


def test_a_copy_has_the_same_content_and_a_life_of_its_own(objects: ObjectStore) -> None:
    objects.put(KEY, [b"content"])
    objects.copy(KEY, "copies/1")
    objects.delete(KEY)
    assert b"".join(objects.get("copies/1")) == b"content"


def test_a_copy_takes_the_place_of_what_was_there(objects: ObjectStore) -> None:
    objects.put(KEY, [b"new"])
    objects.put("copies/1", [b"a former one"])
    objects.copy(KEY, "copies/1")
    assert b"".join(objects.get("copies/1")) == b"new"


def test_a_copy_onto_itself_changes_nothing(objects: ObjectStore) -> None:
    objects.put(KEY, [b"content"])
    objects.copy(KEY, KEY)
    assert b"".join(objects.get(KEY)) == b"content"


def test_a_copy_of_nothing_is_missing(objects: ObjectStore) -> None:
    objects.put("copies/1", [b"old"])
    with pytest.raises(ObjectMissing, match=KEY):
        objects.copy(KEY, "copies/1")
    assert b"".join(objects.get("copies/1")) == b"old"


def test_what_a_server_cannot_copy_by_itself_is_copied(small_copies: S3Store) -> None:
    small_copies.put(KEY, [b"more than five"])
    small_copies.copy(KEY, "copies/1")
    assert b"".join(small_copies.get("copies/1")) == b"more than five"


@pytest.mark.parametrize("size", [10, 11 * 2**20])
def test_what_is_read_from_a_store_may_be_written_to_it(objects: ObjectStore, size: int) -> None:
    objects.put(KEY, [b"x" * size])
    objects.put("copies/1", objects.get(KEY), size=size)
    assert objects.head("copies/1").size == size


def test_deleting_twice_is_fine(objects: ObjectStore) -> None:
    objects.put(KEY, [b"x"])
    objects.delete(KEY)
    objects.delete(KEY)
    with pytest.raises(ObjectMissing):
        objects.head(KEY)


def test_deleting_takes_one_object_only(objects: ObjectStore) -> None:
    for key in ("jobs/1/a", "jobs/1/b", "jobs/1/a.b"):
        objects.put(key, [b"x"])
    objects.delete("jobs/1/a")
    objects.delete("jobs/1")
    assert keys(objects) == ["jobs/1/a.b", "jobs/1/b"]


def test_what_was_deleted_can_be_written_again(objects: ObjectStore) -> None:
    objects.put(KEY, [b"old"])
    objects.delete(KEY)
    objects.put(KEY, [b"new"])
    assert b"".join(objects.get(KEY)) == b"new"
