"""A whole split laid end to end: one array a column instead of one object an image, for every rule to count on."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.best_first import best_first
from fgfi_core.evaluation.found import ImageDetections

Scalar = TypeVar("Scalar", bound=np.generic)


class Found(NamedTuple):
    """All detections, image by image. boxes: [D, 4] float64 xyxy pixels. scores, labels, image (its index): [D]."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    image: NDArray[np.int64]

    def rows(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Found":
        """These rows, by mask or by index."""
        return Found(self.boxes[which], self.scores[which], self.labels[which], self.image[which])


class Truth(NamedTuple):
    """All boxes, image by image; columns as in `Example`. boxes: [G, 4] float64 xyxy pixels, all others [G]."""

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    image: NDArray[np.int64]
    difficult: NDArray[np.bool_]
    crowd: NDArray[np.bool_]
    area: NDArray[np.float64]
    occlusion: NDArray[np.int64]
    truncation: NDArray[np.float32]

    def rows(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Truth":
        """These rows, by mask or by index."""
        return Truth(
            boxes=self.boxes[which],
            labels=self.labels[which],
            image=self.image[which],
            difficult=self.difficult[which],
            crowd=self.crowd[which],
            area=self.area[which],
            occlusion=self.occlusion[which],
            truncation=self.truncation[which],
        )


class Regions(NamedTuple):
    """All regions where nothing counts. boxes: [R, 4] float64 xyxy pixels. image: [R]."""

    boxes: NDArray[np.float64]
    image: NDArray[np.int64]


class Flat(NamedTuple):
    """A split of so many images. best_first: [D] detections in order of score, equal ones as they came."""

    found: Found
    best_first: NDArray[np.int64]
    truth: Truth
    regions: Regions
    images: int


def flatten(detections: Sequence[ImageDetections], examples: Sequence[Example]) -> Flat:
    """Lay detections and examples, image by image in the same order, end to end.

    Raises ValueError when the two lists differ in length.
    """
    if len(detections) != len(examples):
        raise ValueError(f"{len(detections)} images with detections for {len(examples)} examples")
    found = Found(
        boxes=_boxes([one.boxes for one in detections]),
        scores=_joined([one.scores for one in detections], np.float32),
        labels=_joined([one.labels for one in detections], np.int64),
        image=_numbers([len(one.labels) for one in detections]),
    )
    truth = Truth(
        boxes=_boxes([example.boxes for example in examples]),
        labels=_joined([example.labels for example in examples], np.int64),
        image=_numbers([len(example.labels) for example in examples]),
        difficult=_joined([example.difficult for example in examples], np.bool_),
        crowd=_joined([example.crowd for example in examples], np.bool_),
        area=_joined([example.area for example in examples], np.float64),
        occlusion=_joined([example.occlusion for example in examples], np.int64),
        truncation=_joined([example.truncation for example in examples], np.float32),
    )
    regions = Regions(
        boxes=_boxes([example.ignored for example in examples]),
        image=_numbers([len(example.ignored) for example in examples]),
    )
    return Flat(found, best_first(found.scores), truth, regions, len(examples))


def _boxes(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    return np.concatenate([*parts, np.zeros((0, 4), np.float32)]).astype(np.float64)


def _joined(parts: Sequence[NDArray[Scalar]], dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.concatenate([*parts, np.zeros(0, dtype)]).astype(dtype, copy=False)


def _numbers(counts: Sequence[int]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(counts)), counts)
