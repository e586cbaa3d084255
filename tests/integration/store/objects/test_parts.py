"""Objects of several parts, and what is left of writes that broke off."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from store.errors import ObjectMissing
from store.objects import ObjectStore, S3Store

MIB = 2**20
PART = 5 * MIB
KEY = "jobs/job_1/attempts/1/final.pt"
NOW = timedelta(0)
# More chunks than wait on their way: whoever gave them all knows that the upload has begun.
BEGUN = [bytes(PART + 1)] + [b"more"] * 5

# Writes some parts, says so when the first are taken, and waits for its end.
HALF_A_WRITE = """
import sys
from store.objects import open_store

def half():
    for _ in range(5):
        yield b"x" * (6 * 2**20)
    print("half", flush=True)
    sys.stdin.read()

open_store(sys.argv[1]).put(sys.argv[2], half())
"""


def some_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def in_chunks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize(
    "size", [PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1, 3 * PART + 12345], ids=lambda size: f"{size} bytes"
)
def test_an_object_of_any_number_of_parts_is_read_back(objects: ObjectStore, size: int) -> None:
    content = some_bytes(size)
    stored = objects.put(KEY, in_chunks(content, 700_001))

    assert (stored.size, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert objects.head(KEY).size == size
    assert b"".join(objects.get(KEY)) == content


def test_a_range_may_lie_across_parts(objects: ObjectStore) -> None:
    content = some_bytes(2 * PART + 100)
    objects.put(KEY, [content])
    for start, end in ((PART - 10, PART + 10), (PART, PART + 1), (PART - 1, PART), (2 * PART + 90, 2 * PART + 999)):
        assert b"".join(objects.get(KEY, start=start, end=end)) == content[start:end]


def test_chunks_larger_than_parts_are_taken(objects: ObjectStore) -> None:
    content = some_bytes(2 * PART + 5)
    objects.put(KEY, iter([content[: 2 * PART], content[2 * PART :]]))
    assert b"".join(objects.get(KEY)) == content


def test_a_write_that_broke_off_leaves_nothing_behind(objects: ObjectStore, leftovers: Callable[[], int]) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(PART)
        yield bytes(PART)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        objects.put(KEY, broken())
    assert leftovers() == 0


def test_what_a_killed_writer_left_is_unseen_and_swept(
    objects: ObjectStore, address: str, leftovers: Callable[[], int]
) -> None:
    command = [sys.executable, "-c", HALF_A_WRITE, address, KEY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"half\n"
        writer.kill()

    assert leftovers() == 1
    assert list(objects.list()) == []
    with pytest.raises(ObjectMissing):
        objects.head(KEY)

    objects.sweep(NOW)
    assert leftovers() == 0
    objects.put(KEY, [b"whole"])
    assert b"".join(objects.get(KEY)) == b"whole"


def test_a_write_under_way_is_not_swept(s3: S3Store) -> None:
    uploads = s3._uploads()
    assert uploads is not None
    seen: list[int] = []

    def swept_meanwhile() -> Iterator[bytes]:
        yield from BEGUN
        s3.sweep()
        seen.append(len(list(uploads.unfinished())))

    s3.put(KEY, swept_meanwhile())
    assert seen == [1]
    assert s3.head(KEY).size == sum(map(len, BEGUN))


def test_a_sweep_ends_no_upload_of_others_in_the_bucket(s3: S3Store, other_s3: S3Store) -> None:
    uploads = other_s3._uploads()
    assert uploads is not None
    seen: list[int] = []

    def swept_meanwhile() -> Iterator[bytes]:
        yield from BEGUN
        s3.sweep(NOW)
        seen.append(len(list(uploads.unfinished())))

    other_s3.put(KEY, swept_meanwhile())
    assert seen == [1]


def test_a_sweep_leaves_objects_alone(objects: ObjectStore) -> None:
    objects.put(KEY, [b"x"])
    objects.sweep(NOW)
    assert b"".join(objects.get(KEY)) == b"x"
