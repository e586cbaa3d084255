"""Made-up detections on real boxes, as a detector of middling quality would find them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from fgfi_core.data import Example
from fgfi_core.evaluation.found import ImageDetections

Detect = Callable[[Sequence[Example], int, int], list[ImageDetections]]


@pytest.fixture
def kitti_tiny(bccd: Path) -> Path:
    return bccd.parent / "kitti_tiny"


@pytest.fixture
def tiny_coco(bccd: Path) -> Path:
    return bccd.parent / "tiny_coco"


@pytest.fixture
def made_up() -> Detect:
    """detect(examples, classes, seed): some boxes once, some twice, jittered, some of another class, and strays."""

    def detect(examples: Sequence[Example], classes: int, seed: int) -> list[ImageDetections]:
        rng = np.random.default_rng(seed)
        return [_one(example, classes, rng) for example in examples]

    return detect


def _one(example: Example, classes: int, rng: np.random.Generator) -> ImageDetections:
    size = np.array([example.width, example.height] * 2)
    picked = np.repeat(np.arange(len(example.boxes)), rng.integers(0, 3, len(example.boxes)))
    sides = np.tile(example.boxes[picked, 2:] - example.boxes[picked, :2], 2)
    near = example.boxes[picked] + sides * rng.normal(0, 0.06, (len(picked), 4))
    corners = rng.random((5, 2, 2)).astype(np.float32)
    strays = np.hstack([corners.min(axis=1), corners.max(axis=1)]) * size
    boxes = np.concatenate([near, strays]).clip(0, size).astype(np.float32)
    labels = np.concatenate([example.labels[picked], rng.integers(0, classes, 5)])
    wrong = rng.random(len(labels)) < 0.1
    labels[wrong] = rng.integers(0, classes, wrong.sum())
    # Scores of one decimal: many are equal.
    scores = rng.random(len(labels)).round(1 if rng.random() < 0.5 else 7).astype(np.float32)
    kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return ImageDetections(boxes[kept], scores[kept], labels[kept])
