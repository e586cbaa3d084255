import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from store.errors import ObjectDamaged, ObjectMissing, TooLarge
from store.objects import ObjectStore

MIB = 2**20
KEY = "jobs/job_1/attempts/1/final.pt"


def content(objects: ObjectStore, key: str = KEY) -> bytes:
    return b"".join(objects.get(key))


def broken(*chunks: bytes) -> Iterator[bytes]:
    yield from chunks
    raise ConnectionResetError("the sender is gone")


def test_what_was_put_is_read_back(objects: ObjectStore) -> None:
    stored = objects.put(KEY, iter([b"one", b"", b"two"]))

    assert content(objects) == b"onetwo"
    assert (stored.key, stored.size) == (KEY, 6)
    assert stored.sha256 == hashlib.sha256(b"onetwo").hexdigest()


def test_an_object_may_be_empty(objects: ObjectStore) -> None:
    stored = objects.put(KEY, [])

    assert (stored.size, stored.sha256) == (0, hashlib.sha256(b"").hexdigest())
    assert content(objects) == b""
    assert objects.head(KEY).size == 0


def test_a_head_tells_size_and_time(objects: ObjectStore) -> None:
    objects.put(KEY, [b"x" * 1000])
    found = objects.head(KEY)

    assert (found.key, found.size) == (KEY, 1000)
    assert abs(found.modified - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "0",
        "-dash",
        "_under",
        "=equals",
        ".hidden",
        "...",
        "a/..b/c..",
        "a=b/c-d_e.f/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=-",
        "n" * 255,
        "/".join(["deep"] * 100),
    ],
)
def test_every_legal_name_is_taken_as_it_is(objects: ObjectStore, key: str) -> None:
    objects.put(key, [key.encode()])

    assert content(objects, key) == key.encode()
    assert objects.head(key).key == key
    assert [found.key for found in objects.list()] == [key]


@pytest.mark.parametrize(
    "key",
    ["", "/x", "x/", "a//b", ".", "a/../b", "a b", "a\0b", "ä", "a%2Fb", "~incoming/x", "n" * 256, "a/" * 450 + "a"],
)
def test_every_other_name_is_refused(objects: ObjectStore, key: str) -> None:
    for action in (objects.get, objects.head, objects.delete):
        with pytest.raises(ValueError, match="no object key"):
            action(key)
    with pytest.raises(ValueError, match="no object key"):
        objects.put(key, [b"x"])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, b"0123456789"),
        (0, 10, b"0123456789"),
        (2, 5, b"234"),
        (7, None, b"789"),
        (0, 1, b"0"),
        (9, 10, b"9"),
        (9, None, b"9"),
        (0, 0, b""),
        (5, 5, b""),
        (5, 2, b""),
        (8, 1000, b"89"),
        (10, None, b""),
        (10, 11, b""),
        (1000, None, b""),
        (1000, 2000, b""),
    ],
)
def test_a_range_is_what_the_object_has_of_it(
    objects: ObjectStore, start: int, end: int | None, expected: bytes
) -> None:
    objects.put(KEY, [b"0123456789"])
    assert b"".join(objects.get(KEY, start=start, end=end)) == expected


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 5), (1, None), (1, 5)])
def test_every_range_of_an_empty_object_is_empty(objects: ObjectStore, start: int, end: int | None) -> None:
    objects.put(KEY, [])
    assert b"".join(objects.get(KEY, start=start, end=end)) == b""


@pytest.mark.parametrize(("start", "end"), [(-1, None), (0, -1), (-5, -1)])
def test_a_range_does_not_count_from_the_end(objects: ObjectStore, start: int, end: int | None) -> None:
    objects.put(KEY, [b"0123456789"])
    with pytest.raises(ValueError, match="begins at 0"):
        objects.get(KEY, start=start, end=end)


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 5), (3, None), (3, 3)])
def test_reading_what_is_not_there_says_so_before_the_first_byte(
    objects: ObjectStore, start: int, end: int | None
) -> None:
    with pytest.raises(ObjectMissing, match=KEY):
        objects.get(KEY, start=start, end=end)
    with pytest.raises(ObjectMissing, match=KEY):
        objects.head(KEY)


def test_a_folder_of_objects_is_no_object(objects: ObjectStore) -> None:
    objects.put("jobs/job_1/report.html", [b"x"])
    with pytest.raises(ObjectMissing):
        objects.head("jobs/job_1")
    with pytest.raises(ObjectMissing):
        objects.get("jobs/job_1")


def test_what_lies_below_an_object_is_not_there(objects: ObjectStore) -> None:
    objects.put("jobs/job_1", [b"x"])
    with pytest.raises(ObjectMissing):
        objects.get("jobs/job_1/report.html")


def test_a_later_write_takes_the_place_of_an_earlier_one(objects: ObjectStore) -> None:
    objects.put(KEY, [b"a long former content"])
    objects.put(KEY, [b"new"])
    assert content(objects) == b"new"
    assert objects.head(KEY).size == 3


@pytest.mark.parametrize("size", [10, 11 * MIB], ids=["small", "of several parts"])
def test_a_stream_that_breaks_leaves_what_was_there(objects: ObjectStore, size: int) -> None:
    with pytest.raises(ConnectionResetError, match="the sender is gone"):
        objects.put(KEY, broken(b"x" * size))
    with pytest.raises(ObjectMissing):
        objects.head(KEY)

    objects.put(KEY, [b"old"])
    with pytest.raises(ConnectionResetError):
        objects.put(KEY, broken(b"x" * size))
    assert content(objects) == b"old"


@pytest.mark.parametrize("size", [10, 11 * MIB], ids=["small", "of several parts"])
def test_content_that_is_not_what_was_promised_leaves_what_was_there(objects: ObjectStore, size: int) -> None:
    objects.put(KEY, [b"old"])
    with pytest.raises(ObjectDamaged, match=KEY):
        objects.put(KEY, [b"x" * size], size=size + 1)
    with pytest.raises(ObjectDamaged, match=KEY):
        objects.put(KEY, [b"x" * size], sha256="0" * 64)
    assert content(objects) == b"old"


def test_content_that_is_what_was_promised_is_taken(objects: ObjectStore) -> None:
    digest = hashlib.sha256(b"four").hexdigest()
    objects.put(KEY, [b"four"], size=4, sha256=digest.upper())
    assert content(objects) == b"four"


@pytest.mark.parametrize("limit", [10_000, 8 * MIB])
def test_a_stream_past_its_limit_is_cut_off(objects: ObjectStore, limit: int) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * (limit // 8)

    with pytest.raises(TooLarge, match=str(limit)):
        objects.put(KEY, endless(), max_bytes=limit)
    with pytest.raises(ObjectMissing):
        objects.head(KEY)


def test_a_stream_up_to_its_limit_is_taken(objects: ObjectStore) -> None:
    assert objects.put(KEY, [b"x" * 100], max_bytes=100).size == 100
