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

    image_id: the same file has the same id in every split. path: image file. boxes: [G, 4] float32 xyxy pixels.
    labels: [G] int64, index into the data set's classes. difficult: [G] bool, boxes that evaluation ignores and
    training leaves out.

    What only some formats know; left out, there is none of it:
    crowd: [G] bool, one box around many objects (COCO), difficult too. area: [G] float64, square pixels of the object,
    by its outline where that is known (COCO), else of its box. occlusion: [G] int64, 0 none, 1 part, 2 most, 3 or -1
    unknown (KITTI). truncation: [G] float32, share of the object outside the image, -1 unknown (KITTI).
    ignored: [N, 4] float32 xyxy pixels, regions without a class where evaluation counts nothing (KITTI's DontCare).

    Raises ValueError when arrays do not belong together.
    """

    image_id: str
    path: Path
    width: int
    height: int
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    difficult: NDArray[np.bool_]
    crowd: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    occlusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    truncation: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    area: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0, np.float64))
    ignored: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    def __post_init__(self) -> None:
        count = len(self.boxes)
        for name in ("crowd", "occlusion", "truncation"):
            given = getattr(self, name)
            if count and not len(given):
                # The one way to set a field of a frozen dataclass, here before anyone has seen it.
                object.__setattr__(self, name, np.zeros(count, given.dtype))
        if count and not len(self.area):
            sides = self.boxes[:, 2:].astype(np.float64) - self.boxes[:, :2]
            object.__setattr__(self, "area", sides[:, 0] * sides[:, 1])
        for name in ("labels", "difficult", "crowd", "occlusion", "truncation", "area"):
            if getattr(self, name).shape != (count,):
                raise ValueError(f"'{self.image_id}' has {count} boxes and {name} {getattr(self, name).shape}")
        for name, boxes in (("boxes", self.boxes), ("ignored", self.ignored)):
            if boxes.shape[1:] != (4,):
                raise ValueError(f"'{self.image_id}' has {name} {boxes.shape}, not [*, 4]")


@dataclass(frozen=True)
class Dataset:
    """All splits of a data set over one list of classes. `problems` holds what was dropped or doubtful.

    background: how many boxes there are of each type that the reader takes as background (KITTI's trucks, for one).
    """

    format: str
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[Example, ...]]
    problems: tuple[Problem, ...] = field(default=())
    background: Mapping[str, int] = field(default_factory=dict)

    def shared(self, one: str, other: str) -> frozenset[str]:
        """Ids of the images that are in both splits; measuring on what was trained on measures memory."""
        first, second = ({example.image_id for example in self.splits[name]} for name in (one, other))
        return frozenset(first & second)
