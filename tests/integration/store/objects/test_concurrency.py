import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from store.objects import ObjectStore

MIB = 2**20
KEY = "jobs/job_1/attempts/1/final.pt"
WRITERS = 4


def uniform(mark: int, size: int) -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield bytes([mark]) * MIB


@pytest.mark.parametrize("size", [MIB, 7 * MIB], ids=["one part", "two parts"])
def test_of_several_writers_one_wins_whole(objects: ObjectStore, size: int) -> None:
    together = threading.Barrier(WRITERS)

    def write(mark: int) -> None:
        together.wait()
        objects.put(KEY, uniform(mark, size))

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))

    content = b"".join(objects.get(KEY))
    assert content == bytes([content[0]]) * size


def test_readers_beside_writers_see_one_version_whole(objects: ObjectStore) -> None:
    size = 7 * MIB
    objects.put(KEY, uniform(0, size))
    over = threading.Event()

    def read() -> set[tuple[int, int]]:
        seen = set()
        while not over.is_set():
            content = b"".join(objects.get(KEY))
            seen.add((len(content), content.count(content[0])))
        return seen

    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        for mark in range(1, 4):
            objects.put(KEY, uniform(mark, size))
        over.set()
        seen = set.union(*(reader.result() for reader in readers))

    assert seen == {(size, size)}
    assert b"".join(objects.get(KEY)) == bytes([3]) * size


def test_a_reader_under_way_ends_with_what_it_began(objects: ObjectStore) -> None:
    objects.put(KEY, uniform(1, 2 * MIB))
    reader = objects.get(KEY)
    first = next(reader)
    objects.put(KEY, uniform(2, 2 * MIB))
    assert set(first + b"".join(reader)) == {1}


def test_writers_and_deleters_of_neighbours_do_not_disturb_each_other(objects: ObjectStore) -> None:
    def come_and_go(number: int) -> None:
        for _ in range(10):
            objects.put(f"jobs/one/{number}/x", [b"x"])
            objects.delete(f"jobs/one/{number}/x")
        objects.put(f"jobs/one/{number}/y", [b"y"])

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(come_and_go, range(WRITERS)))
    assert len(list(objects.list("jobs/"))) == WRITERS
