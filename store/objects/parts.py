"""Objects written in parts by many requests, over hours: what every store can do with them.

token = objects.parts.begin(key)
objects.parts.put(key, token, 1, chunks, size=first)       # in any order, several at once
objects.parts.join(key, token, objects.parts.list(key, token), size=size, sha256=sha256)

Parts are no objects: no list shows them. They stay until they are joined, dropped or swept. The last of one number
wins; some S3 servers keep either of two that came within a second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from store.errors import ObjectDamaged, ObjectMissing
from store.objects.protocol import Meter, ObjectStore, Stored

MOST_PARTS = 10_000


@dataclass(frozen=True)
class Part:
    """A part that is whole in the store. number: from 1. checksum: hex, of the store's kind (`Parts.checksum`)."""

    number: int
    size: int
    checksum: str


class Parts(Protocol):
    """The parts of one store. Every method may raise StorageAway or one of its kinds, as `ObjectStore` does.

    Raises ObjectMissing for a token that was joined or dropped. checksum: the kind of the parts' checksums. direct:
    whether it has links.
    """

    checksum: str
    direct: bool

    def begin(self, key: str) -> str:
        """The token of a new object's parts. Raises NoParts where the store takes none."""
        ...

    def put(
        self, key: str, token: str, number: int, chunks: Iterable[bytes], *, size: int, sha256: str | None = None
    ) -> Part:
        """Write a part: whole or not at all. Raises TooLarge and ObjectDamaged when it is not of size or sha256."""
        ...

    def links(self, key: str, token: str, sizes: Sequence[tuple[int, int]], valid: timedelta) -> Sequence[str] | None:
        """A link for each (number, size) that takes the part by PUT without a key; None where there are none."""
        ...

    def list(self, key: str, token: str) -> Sequence[Part]:
        """The parts that are there, by number."""
        ...

    def join(self, key: str, token: str, parts: Sequence[Part], *, size: int, sha256: str | None = None) -> Stored:
        """Make the object of exactly these parts and let them go.

        Raises ObjectDamaged when the whole is not of the size or sha256, and then there is no object. A part that
        another took the place of meanwhile is joined as it was listed, or ObjectMissing raised. A process that dies in
        it leaves the parts, the object, or both: see `read_back`.
        """
        ...

    def drop(self, key: str, token: str) -> None:
        """Let the parts go; those of an unknown token are gone."""
        ...


def read_back(objects: ObjectStore, key: str, *, size: int, sha256: str | None) -> Stored:
    """What an object holds, by reading it. One that is not of the size or sha256 is deleted.

    Raises ObjectMissing, ObjectDamaged.
    """
    meter = Meter(key, objects.get(key), None)
    for _ in meter:
        pass
    try:
        return meter.verify(size, sha256)
    except ObjectDamaged:
        objects.delete(key)
        raise


def missing(key: str) -> ObjectMissing:
    """Nobody writes parts of this object, or no longer."""
    return ObjectMissing(f"no parts of '{key}' are awaited")
