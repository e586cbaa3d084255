"""One typed data set, whatever the format on disk.

Boxes everywhere: `[G, 4] float32, xyxy, pixels`, continuous coordinates, the image spanning [0, width] x [0, height].
A reader converts its format's convention (Pascal VOC counts pixels from 1 and includes both ends).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Problem:
    """Something a reader found: where, how bad, and what."""

    severity: Literal["warning", "error"]
    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else self.file
        return f"{place}: {self.message}"


@dataclass(frozen=True, eq=False)
class Example:
    """One image and its ground truth.

    path: image file. boxes: [G, 4] float32 xyxy pixels. labels: [G] int64, index into the data set's classes.
    difficult: [G] bool, boxes that evaluation ignores and training leaves out.
    """

    image_id: str
    path: Path
    width: int
    height: int
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    difficult: NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """All splits of a data set over one list of classes. `problems` holds what was dropped or doubtful."""

    format: str
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[Example, ...]]
    problems: tuple[Problem, ...] = field(default=())

    def shared(self, one: str, other: str) -> frozenset[str]:
        """Ids of the images that are in both splits; measuring on what was trained on measures memory."""
        first, second = ({example.image_id for example in self.splits[name]} for name in (one, other))
        return frozenset(first & second)
