"""What the boxes of a data set are like: how large, how wide, how many an image, and which a detector cannot see."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fgfi_core.data.dataset import Example

# COCO's bounds of small and medium objects, in square pixels of the original image.
SMALL, MEDIUM = 32.0**2, 96.0**2
# Width over height; the same to both sides of square.
ASPECTS = (0.0, 0.25, 0.5, 0.8, 1.25, 2.0, 4.0)
PER_IMAGE = (0, 1, 2, 3, 5, 9, 17, 33, 65)
STRIDES = (8, 16, 32)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sizes(_Part):
    """Boxes by COCO's sizes: area below 32x32, below 96x96, and the others. The area is the outline's where known."""

    small: int
    medium: int
    large: int


class Histogram(_Part):
    """counts[i] values lie in [starts[i], starts[i + 1]); the last part has no end."""

    starts: tuple[float, ...]
    counts: tuple[int, ...]


class Tiny(_Part):
    """Boxes that fit into one cell of a map of this stride: both sides shorter than it, on the resized image.

    share: of all boxes, 0 where there is none.
    """

    stride: int
    boxes: int
    share: float
    per_class: dict[str, int]


class TinyBoxes(_Part):
    """Tiny boxes when images are resized to `image_size` (width, height)."""

    image_size: tuple[int, int]
    strides: tuple[Tiny, ...]


class Statistics(_Part):
    """All boxes of all distinct images, difficult ones and crowds among them."""

    sizes: Sizes
    sizes_per_class: dict[str, Sizes]
    aspect_ratios: Histogram
    boxes_per_image: Histogram
    tiny: TinyBoxes | None = None


class Boxes(NamedTuple):
    """The boxes of several images as columns.

    labels: [A] int64. sides: [A, 2] float64, width and height in pixels. area: [A] float64, square pixels. image: [A]
    int64, number of the box's image. image_sizes: [N, 2] int64, width and height in pixels.
    """

    labels: NDArray[np.int64]
    sides: NDArray[np.float64]
    area: NDArray[np.float64]
    image: NDArray[np.int64]
    image_sizes: NDArray[np.int64]


def gather(examples: Sequence[Example]) -> Boxes:
    """Put the boxes of all images one below the other."""
    counts = [len(example.labels) for example in examples]
    boxes = np.concatenate([np.zeros((0, 4)), *(example.boxes for example in examples)])
    return Boxes(
        labels=np.concatenate([np.zeros(0, np.int64), *(example.labels for example in examples)]),
        sides=boxes[:, 2:] - boxes[:, :2],
        area=np.concatenate([np.zeros(0), *(example.area for example in examples)]),
        image=np.repeat(np.arange(len(examples)), counts),
        image_sizes=np.array([(example.width, example.height) for example in examples], np.int64).reshape(-1, 2),
    )


def describe(boxes: Boxes, classes: Sequence[str]) -> Statistics:
    """Sizes, aspect ratios and boxes an image."""
    per_image = np.bincount(boxes.image, minlength=len(boxes.image_sizes))
    return Statistics(
        sizes=_sizes(boxes.area),
        sizes_per_class={name: _sizes(boxes.area[boxes.labels == index]) for index, name in enumerate(classes)},
        aspect_ratios=_histogram(boxes.sides[:, 0] / boxes.sides[:, 1], ASPECTS),
        boxes_per_image=_histogram(per_image, PER_IMAGE),
    )


def tiny_at(
    boxes: Boxes, classes: Sequence[str], image_size: tuple[int, int], strides: Sequence[int] = STRIDES
) -> TinyBoxes:
    """Count the boxes that fit into one cell of each stride once images are resized to `image_size` (width, height)."""
    scale = np.array(image_size) / boxes.image_sizes[boxes.image]
    longer = (boxes.sides * scale).max(axis=1, initial=0.0)
    found = []
    for stride in strides:
        labels = boxes.labels[longer < stride]
        counts = np.bincount(labels, minlength=len(classes)).tolist()
        share = len(labels) / max(len(longer), 1)
        per_class = dict(zip(classes, counts, strict=True))
        found.append(Tiny(stride=stride, boxes=len(labels), share=share, per_class=per_class))
    return TinyBoxes(image_size=image_size, strides=tuple(found))


def _sizes(area: NDArray[np.float64]) -> Sizes:
    small, medium = int((area < SMALL).sum()), int(((area >= SMALL) & (area < MEDIUM)).sum())
    return Sizes(small=small, medium=medium, large=len(area) - small - medium)


def _histogram(values: NDArray[np.float64] | NDArray[np.int64], starts: Sequence[float]) -> Histogram:
    # Every value is at least the first start.
    counts = np.bincount(np.searchsorted(starts, values, side="right") - 1, minlength=len(starts))
    return Histogram(starts=tuple(starts), counts=tuple(counts.tolist()))
