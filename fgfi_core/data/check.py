"""Check a data set before anyone trains on it: every image decoded, every problem listed, counted and placed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fgfi_core.data import images
from fgfi_core.data.dataset import Dataset, Example, Problem
from fgfi_core.data.formats import locate
from fgfi_core.errors import BadData

MAX_PROBLEMS = 200


class _Report(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(_Report):
    """One problem, as JSON. `line` counts from 1."""

    severity: Literal["warning", "error"]
    file: str
    line: int | None
    message: str


class SplitSummary(_Report):
    """One split: how many images, how many of them without a box, how many boxes, and how many of these difficult.

    crowd: boxes around many objects (COCO), all of them difficult too. ignored: regions where evaluation counts nothing
    (KITTI's DontCare), which are no boxes.
    """

    images: int
    empty: int
    boxes: int
    difficult: int
    crowd: int
    ignored: int
    per_class: dict[str, int]


class ClassSummary(_Report):
    """One class over all images. Sides in pixels of the original images; relative area: the box's over the image's.

    Medians are None for a class without a box, which formats that list their classes may have.
    """

    boxes: int
    images: int
    median_width: float | None
    median_height: float | None
    median_relative_area: float | None


class Range(_Report):
    """Smallest, median and largest value."""

    smallest: float
    median: float
    largest: float


class Shared(_Report):
    """Two splits have images in common; neither contains the other."""

    splits: tuple[str, str]
    images: int


class DatasetReport(_Report):
    """What is in a data set and what is wrong with it.

    `usable` is False when any image had to be left out; training refuses such data. `problems` holds at most the first
    MAX_PROBLEMS, errors first; `problem_counts` counts all. Counts of images and boxes are over distinct images.
    """

    format: str
    usable: bool
    images: int
    boxes: int
    classes: dict[str, ClassSummary]
    splits: dict[str, SplitSummary]
    shared: tuple[Shared, ...]
    width: Range
    height: Range
    boxes_per_image: Range
    problems: tuple[Finding, ...]
    problem_counts: dict[Literal["warning", "error"], int]


def check(root: Path) -> DatasetReport:
    """Read a data set, decode every image and describe it. Raises BadData when there is nothing to describe."""
    known, folder = locate(root)
    dataset = known.scan(folder)
    distinct = {example.image_id: example for split in dataset.splits.values() for example in split}
    problems = [*dataset.problems, *_broken(distinct.values(), folder)]
    problems.sort(key=lambda problem: problem.severity != "error")
    counts = Counter(problem.severity for problem in problems)
    examples = list(distinct.values())
    return DatasetReport(
        format=dataset.format,
        usable=counts["error"] == 0,
        images=len(examples),
        boxes=sum(len(example.labels) for example in examples),
        classes={name: _class(examples, index) for index, name in enumerate(dataset.classes)},
        splits={name: _split(split, dataset.classes) for name, split in dataset.splits.items()},
        shared=tuple(_shared(dataset)),
        width=_range([example.width for example in examples]),
        height=_range([example.height for example in examples]),
        boxes_per_image=_range([len(example.labels) for example in examples]),
        problems=tuple(Finding(**vars(problem)) for problem in problems[:MAX_PROBLEMS]),
        problem_counts={"error": counts["error"], "warning": counts["warning"]},
    )


def _broken(examples: Iterable[Example], folder: Path) -> Iterator[Problem]:
    for example in examples:
        try:
            images.decode(example.path)
        except BadData as error:
            message = error.message.removeprefix(f"{example.path.name}: ")
            yield Problem("error", example.path.relative_to(folder).as_posix(), None, message)


def _class(examples: list[Example], index: int) -> ClassSummary:
    boxes = np.concatenate([example.boxes[example.labels == index] for example in examples]).astype(np.float64)
    whole = np.concatenate(
        [np.full(int((example.labels == index).sum()), example.width * example.height) for example in examples]
    )
    sides = boxes[:, 2:] - boxes[:, :2]
    return ClassSummary(
        boxes=len(boxes),
        images=sum(bool((example.labels == index).any()) for example in examples),
        median_width=_median(sides[:, 0]),
        median_height=_median(sides[:, 1]),
        median_relative_area=_median(sides.prod(axis=1) / whole),
    )


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _split(examples: Sequence[Example], classes: tuple[str, ...]) -> SplitSummary:
    counts = sum((np.bincount(e.labels, minlength=len(classes)) for e in examples), np.zeros(len(classes), np.int64))
    return SplitSummary(
        images=len(examples),
        empty=sum(not len(example.labels) for example in examples),
        boxes=int(counts.sum()),
        difficult=sum(int(example.difficult.sum()) for example in examples),
        crowd=sum(int(example.crowd.sum()) for example in examples),
        ignored=sum(len(example.ignored) for example in examples),
        per_class={name: int(count) for name, count in zip(classes, counts, strict=True)},
    )


def _shared(dataset: Dataset) -> Iterator[Shared]:
    """Find splits that overlap; one inside another (train in trainval) is meant so."""
    ids = {name: {example.image_id for example in split} for name, split in dataset.splits.items()}
    for one, other in combinations(sorted(ids), 2):
        both = ids[one] & ids[other]
        if both and both != ids[one] and both != ids[other]:
            yield Shared(splits=(one, other), images=len(both))


def _range(values: list[int]) -> Range:
    return Range(smallest=min(values), median=float(np.median(values)), largest=max(values))
