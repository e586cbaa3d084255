"""Small pictures of a data set, with their boxes as data: what people look at before they trust it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from fgfi_core.data import images
from fgfi_core.data.dataset import Dataset, Example

MOST = 24
LONGEST_SIDE = 320
MOST_BOXES = 200
QUALITY = 80


@dataclass(frozen=True)
class Thumbnail:
    """One image, made small, as WebP.

    size: (width, height) in pixels of `content`. boxes: class and xyxy in pixels of `content`, at most 200.
    """

    image_id: str
    split: str
    size: tuple[int, int]
    boxes: tuple[tuple[str, tuple[float, float, float, float]], ...]
    content: bytes


def make(dataset: Dataset, most: int = MOST) -> Iterator[Thumbnail]:
    """So many at even distances, of every split alike. Raises BadData for an image that cannot be decoded."""
    splits = {name: examples for name, examples in dataset.splits.items() if examples}
    seen: set[str] = set()
    for name, examples in splits.items():
        share = min(len(examples), max(1, most // len(splits)))
        for place in range(share):
            example = examples[place * len(examples) // share]
            if example.image_id not in seen and len(seen) < most:
                seen.add(example.image_id)
                yield _small(example, name, dataset.classes)


def _small(example: Example, split: str, classes: tuple[str, ...]) -> Thumbnail:
    image = images.decode(example.path).convert("RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    across, down = image.width / example.width, image.height / example.height
    packed = io.BytesIO()
    image.save(packed, "WEBP", quality=QUALITY)
    boxes = tuple(
        (classes[label], (round(x1 * across, 1), round(y1 * down, 1), round(x2 * across, 1), round(y2 * down, 1)))
        for label, (x1, y1, x2, y2) in zip(
            example.labels.tolist()[:MOST_BOXES], example.boxes.tolist()[:MOST_BOXES], strict=True
        )
    )
    return Thumbnail(example.image_id, split, image.size, boxes, packed.getvalue())
