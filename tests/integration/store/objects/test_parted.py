"""Objects written in parts by many requests: the contract of `ObjectStore.parts`."""

import hashlib
import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from store.errors import ObjectDamaged, ObjectMissing, TooLarge
from store.objects import ObjectStore, Part, S3Store
from store.objects.parts import read_back

# What S3 asks of every part but the last.
PART = 5 * 2**20
KEY = "uploads/up_1/archive"
NOW = timedelta(0)
FIRST, LAST = random.Random(1).randbytes(PART), b"the rest"
WHOLE = FIRST + LAST
SHA256 = hashlib.sha256(WHOLE).hexdigest()


def in_chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 700_001):
        yield content[start : start + 700_001]


def put(objects: ObjectStore, token: str, number: int, content: bytes) -> Part:
    return objects.parts.put(KEY, token, number, in_chunks(content), size=len(content))


def content(objects: ObjectStore) -> bytes:
    return b"".join(objects.get(KEY))


@pytest.fixture
def token(objects: ObjectStore) -> str:
    return objects.parts.begin(KEY)


@pytest.fixture
def both(objects: ObjectStore, token: str) -> str:
    """The token of an object whose two parts are there; the last came first."""
    put(objects, token, 2, LAST)
    put(objects, token, 1, FIRST)
    return token


def test_parts_are_listed_with_their_checksums(objects: ObjectStore, both: str) -> None:
    parts = objects.parts.list(KEY, both)

    assert [(part.number, part.size) for part in parts] == [(1, PART), (2, len(LAST))]
    assert [part.checksum for part in parts] == [
        hashlib.new(objects.parts.checksum, each).hexdigest() for each in (FIRST, LAST)
    ]


@pytest.mark.usefixtures("both")
def test_no_part_is_an_object(objects: ObjectStore) -> None:
    assert list(objects.list()) == []
    with pytest.raises(ObjectMissing):
        objects.head(KEY)


def test_parts_become_their_object(objects: ObjectStore, both: str) -> None:
    stored = objects.parts.join(KEY, both, objects.parts.list(KEY, both), size=len(WHOLE), sha256=SHA256)

    assert (stored.size, stored.sha256) == (len(WHOLE), SHA256)
    assert content(objects) == WHOLE
    assert [found.key for found in objects.list()] == [KEY]


def test_joined_parts_are_gone(objects: ObjectStore, both: str) -> None:
    parts = objects.parts.list(KEY, both)
    objects.parts.join(KEY, both, parts, size=len(WHOLE))

    with pytest.raises(ObjectMissing):
        objects.parts.list(KEY, both)
    with pytest.raises(ObjectMissing):
        put(objects, both, 1, FIRST)
    assert read_back(objects, KEY, size=len(WHOLE), sha256=SHA256).sha256 == SHA256


def test_the_last_part_of_a_number_wins(objects: ObjectStore, token: str) -> None:
    put(objects, token, 1, b"old")
    put(objects, token, 1, b"newer")

    (part,) = objects.parts.list(KEY, token)
    # SeaweedFS keeps both, and tells the time of a part in whole seconds.
    assert part.size == 5 or isinstance(objects, S3Store)
    objects.parts.join(KEY, token, [part], size=part.size)
    assert content(objects) == (b"newer" if part.size == 5 else b"old")


@pytest.mark.parametrize(("size", "error"), [(2, TooLarge), (4, ObjectDamaged)])
def test_a_part_of_another_size_is_not_taken(
    objects: ObjectStore, token: str, size: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        objects.parts.put(KEY, token, 1, [b"abc"], size=size)
    assert objects.parts.list(KEY, token) == []


def test_a_part_of_another_sha256_is_not_taken(objects: ObjectStore, token: str) -> None:
    with pytest.raises(ObjectDamaged):
        objects.parts.put(KEY, token, 1, [b"abc"], size=3, sha256="0" * 64)
    assert objects.parts.list(KEY, token) == []


def test_a_part_that_breaks_off_leaves_the_one_before(objects: ObjectStore, token: str) -> None:
    put(objects, token, 1, b"abc")

    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        objects.parts.put(KEY, token, 1, broken(), size=3)
    objects.parts.join(KEY, token, objects.parts.list(KEY, token), size=3)
    assert content(objects) == b"abc"


@pytest.mark.parametrize("promised", [{"size": len(WHOLE), "sha256": "0" * 64}, {"size": 3}], ids=["sha256", "size"])
def test_a_whole_that_is_not_as_promised_becomes_no_object(
    objects: ObjectStore, both: str, promised: dict[str, object]
) -> None:
    with pytest.raises(ObjectDamaged):
        objects.parts.join(KEY, both, objects.parts.list(KEY, both), **promised)  # type: ignore[arg-type] # of two kinds
    assert list(objects.list()) == []


def test_what_is_joined_is_what_was_listed(objects: ObjectStore, token: str) -> None:
    put(objects, token, 1, b"old")
    parts = objects.parts.list(KEY, token)
    put(objects, token, 1, b"new")

    try:
        objects.parts.join(KEY, token, parts, size=3)
    except ObjectMissing:
        # Replaced: whoever joins lists again.
        objects.parts.join(KEY, token, objects.parts.list(KEY, token), size=3)
        assert content(objects) == b"new"
    else:
        assert content(objects) == b"old"


def test_dropped_parts_are_gone(objects: ObjectStore, both: str) -> None:
    objects.parts.drop(KEY, both)
    objects.parts.drop(KEY, both)

    with pytest.raises(ObjectMissing):
        objects.parts.list(KEY, both)
    with pytest.raises(ObjectMissing):
        put(objects, both, 1, b"x")


def test_parts_of_two_tokens_do_not_meet(objects: ObjectStore, token: str) -> None:
    other = objects.parts.begin(KEY)
    put(objects, token, 1, b"ours")
    put(objects, other, 1, b"theirs")
    objects.parts.drop(KEY, other)

    objects.parts.join(KEY, token, objects.parts.list(KEY, token), size=4)
    assert content(objects) == b"ours"


def test_a_token_of_nobody_is_unknown(objects: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        objects.parts.list(KEY, "0" * 32)
    objects.parts.drop(KEY, "0" * 32)


def test_forgotten_parts_are_swept_and_fresh_ones_stay(
    objects: ObjectStore, both: str, leftovers: Callable[[], int]
) -> None:
    objects.sweep()
    assert len(objects.parts.list(KEY, both)) == 2

    objects.sweep(NOW)
    assert leftovers() == 0
    with pytest.raises(ObjectMissing):
        objects.parts.list(KEY, both)


def test_a_folder_has_no_links(objects: ObjectStore, token: str) -> None:
    links = objects.parts.links(KEY, token, [(1, 5)], timedelta(hours=1))
    assert (links is None) == (not isinstance(objects, S3Store))


def test_a_link_takes_its_part_without_a_key(s3: S3Store) -> None:
    token = s3.parts.begin(KEY)
    sizes = [(1, PART), (2, len(LAST))]
    first, last = s3.parts.links(KEY, token, sizes, timedelta(hours=1)) or ()

    assert httpx.put(last, content=LAST).status_code == 200
    assert httpx.put(first, content=FIRST).status_code == 200
    s3.parts.join(KEY, token, s3.parts.list(KEY, token), size=len(WHOLE), sha256=SHA256)
    assert content(s3) == WHOLE


def test_a_link_takes_no_more_than_its_part_and_no_other(s3: S3Store) -> None:
    token = s3.parts.begin(KEY)
    (link,) = s3.parts.links(KEY, token, [(1, len(LAST))], timedelta(hours=1)) or ()

    assert httpx.put(link, content=LAST + b"!").status_code == 403
    assert httpx.put(link.replace("partNumber=1", "partNumber=2"), content=LAST).status_code == 403
    assert httpx.get(link).status_code == 403
    assert s3.parts.list(KEY, token) == []
