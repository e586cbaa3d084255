"""The same picture twice: in a split that is learned and one that is measured, or within one split.

Pictures are compared by their decoded pixels, so that another name, another header or another lossless format hides
nothing; one that was resized or compressed again is another picture here.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from PIL import Image

from fgfi_core.data import images
from fgfi_core.data.dataset import Dataset, Example

Prints = Mapping[str, bytes]
"""The fingerprint of each image by its id; an image without one is compared with none."""


class Leak(NamedTuple):
    """An image of one split and the same picture in another split: the same file, or a copy of it."""

    split: str
    example: Example
    other_split: str
    other: Example

    def __str__(self) -> str:
        return f"{self.split}: {self.example.path.name} and {self.other_split}: {self.other.path.name}"


def fingerprint(image: Image.Image) -> bytes:
    """16 bytes that only the same pixels have. image: decoded, RGB."""
    digest = hashlib.blake2b(f"{image.width}x{image.height}".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.digest()


def fingerprints(examples: Iterable[Example]) -> dict[str, bytes]:
    """Decode each image once. Raises BadData for one that cannot be decoded."""
    found: dict[str, bytes] = {}
    for example in examples:
        if example.image_id not in found:
            found[example.image_id] = fingerprint(images.decode(example.path))
    return found


def leaks(dataset: Dataset, train: str, val: str, prints: Prints | None = None) -> tuple[Leak, ...]:
    """Every image of the split `val` that the split `train` holds too, each named once with the first that it equals.

    prints: known fingerprints; without them every image of both splits is decoded. Raises KeyError for a split that is
    not there, and BadData for an image that cannot be decoded.
    """
    learned, measured = dataset.splits[train], dataset.splits[val]
    if prints is None:
        prints = fingerprints([*learned, *measured])
    first = _first(learned, prints)
    equal = ((first.get(prints.get(example.image_id, b"")), example) for example in measured)
    return tuple(Leak(train, one, val, other) for one, other in equal if one is not None)


def duplicates(examples: Sequence[Example], prints: Prints) -> Iterator[tuple[Example, Example]]:
    """Each image of a split that another one before it equals, with the first such."""
    first = _first(examples, prints)
    for example in examples:
        one = first.get(prints.get(example.image_id, b""))
        if one is not None and one.image_id != example.image_id:
            yield one, example


def _first(examples: Iterable[Example], prints: Prints) -> dict[bytes, Example]:
    first: dict[bytes, Example] = {}
    for example in examples:
        if example.image_id in prints:
            first.setdefault(prints[example.image_id], example)
    return first
