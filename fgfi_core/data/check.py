"""Check a data set before anyone trains on it: every image decoded, every problem listed, counted and placed."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data import images, leaks, statistics
from fgfi_core.data.dataset import Dataset, Example, Problem
from fgfi_core.data.dataset_report import (
    ClassSummary,
    DatasetReport,
    Finding,
    Leaked,
    Range,
    Shared,
    SplitSummary,
)
from fgfi_core.data.formats import locate
from fgfi_core.data.leaks import Leak, Prints
from fgfi_core.data.statistics import STRIDES, Boxes
from fgfi_core.errors import BadData

__all__ = ["MAX_PROBLEMS", "DatasetReport", "Finding", "check"]

MAX_PROBLEMS = 200


OnImage = Callable[[int, int], None]
"""Hears how many images were looked at, of how many."""


def _ignore(_done: int, _total: int) -> None:
    """Nobody watches."""


def check(
    root: Path,
    *,
    image_size: tuple[int, int] | None = None,
    strides: Sequence[int] = STRIDES,
    on_image: OnImage = _ignore,
) -> DatasetReport:
    """Read a data set, decode every image and describe it.

    image_size: (width, height) that images will be resized to; with it the boxes that fit into one cell of a map of
    each of the strides are counted. Raises BadData when there is nothing to describe.
    """
    known, folder = locate(root)
    dataset = known.scan(folder)
    examples = list({example.image_id: example for split in dataset.splits.values() for example in split}.values())
    prints, broken = _decoded(examples, folder, on_image)
    leaked = [leak for one, other in _separate(dataset) for leak in leaks.leaks(dataset, one, other, prints)]
    problems = [*dataset.problems, *broken, *_copies(dataset, leaked, prints, folder)]
    problems.sort(key=lambda problem: problem.severity != "error")
    counts = Counter(problem.severity for problem in problems)
    boxes = statistics.gather(examples)
    described = statistics.describe(boxes, dataset.classes)
    if image_size is not None:
        tiny = statistics.tiny_at(boxes, dataset.classes, image_size, strides)
        described = described.model_copy(update={"tiny": tiny})
    return DatasetReport(
        format=dataset.format,
        usable=counts["error"] == 0,
        images=len(examples),
        boxes=len(boxes.labels),
        classes={name: _class(boxes, index) for index, name in enumerate(dataset.classes)},
        splits={name: _split(split, dataset.classes) for name, split in dataset.splits.items()},
        shared=tuple(_shared(dataset)),
        width=_range(boxes.image_sizes[:, 0]),
        height=_range(boxes.image_sizes[:, 1]),
        boxes_per_image=_range(np.bincount(boxes.image, minlength=len(examples))),
        problems=tuple(Finding(**vars(problem)) for problem in problems[:MAX_PROBLEMS]),
        problem_counts={"error": counts["error"], "warning": counts["warning"]},
        leaks=tuple(_leaked(leak, folder) for leak in leaked[:MAX_PROBLEMS]),
        statistics=described,
    )


def _decoded(examples: Sequence[Example], folder: Path, on_image: OnImage) -> tuple[Prints, list[Problem]]:
    """Decode each image once; returns the fingerprints, and a problem for each that cannot be decoded."""
    prints, broken = {}, []
    for number, example in enumerate(examples):
        on_image(number, len(examples))
        try:
            prints[example.image_id] = leaks.fingerprint(images.decode(example.path))
        except BadData as error:
            message = error.message.removeprefix(f"{example.path.name}: ")
            broken.append(Problem("error", _name(example, folder), None, message))
    return prints, broken


def _copies(dataset: Dataset, leaked: Sequence[Leak], prints: Prints, folder: Path) -> Iterator[Problem]:
    """Say of each picture that is there twice where else it is, once however many splits hold both."""
    said: set[frozenset[str]] = set()
    for split, example, other_split, other in leaked:
        key = frozenset((example.image_id, other.image_id))
        if key in said:
            continue
        said.add(key)
        both = f"of both '{split}' and '{other_split}'"
        if len(key) > 1:
            both = f"of '{other_split}' and has the same pixels as {_name(example, folder)} of '{split}'"
        yield Problem("warning", _name(other, folder), None, f"is {both}; trained on one, the other measures memory")
    for examples in dataset.splits.values():
        for example, other in leaks.duplicates(examples, prints):
            key = frozenset((example.image_id, other.image_id))
            if key not in said:
                said.add(key)
                message = f"has the same pixels as {_name(example, folder)}"
                yield Problem("warning", _name(other, folder), None, message)


def _leaked(leak: Leak, folder: Path) -> Leaked:
    return Leaked(
        split=leak.split,
        file=_name(leak.example, folder),
        other_split=leak.other_split,
        other_file=_name(leak.other, folder),
    )


def _name(example: Example, folder: Path) -> str:
    return example.path.relative_to(folder).as_posix()


def _class(boxes: Boxes, index: int) -> ClassSummary:
    own = boxes.labels == index
    sides, image = boxes.sides[own], boxes.image[own]
    return ClassSummary(
        boxes=len(sides),
        images=len(np.unique(image)),
        median_width=_median(sides[:, 0]),
        median_height=_median(sides[:, 1]),
        median_relative_area=_median(sides.prod(axis=1) / boxes.image_sizes[image].prod(axis=1)),
    )


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _split(examples: Sequence[Example], classes: tuple[str, ...]) -> SplitSummary:
    counts = np.bincount(statistics.gather(examples).labels, minlength=len(classes))
    return SplitSummary(
        images=len(examples),
        empty=sum(not len(example.labels) for example in examples),
        boxes=int(counts.sum()),
        difficult=sum(int(example.difficult.sum()) for example in examples),
        crowd=sum(int(example.crowd.sum()) for example in examples),
        ignored=sum(len(example.ignored) for example in examples),
        per_class={name: int(count) for name, count in zip(classes, counts, strict=True)},
    )


def _separate(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Each two splits of which none contains the other, what is learned first; one inside another is meant so."""
    ids = _ids(dataset)
    names = sorted(ids, key=lambda name: (not name.startswith("train"), name))
    return ((a, b) for a, b in combinations(names, 2) if not (ids[a] <= ids[b] or ids[b] <= ids[a]))


def _shared(dataset: Dataset) -> Iterator[Shared]:
    ids = _ids(dataset)
    for one, other in combinations(sorted(ids), 2):
        both = ids[one] & ids[other]
        if both and both != ids[one] and both != ids[other]:
            yield Shared(splits=(one, other), images=len(both))


def _ids(dataset: Dataset) -> Mapping[str, set[str]]:
    return {name: {example.image_id for example in split} for name, split in dataset.splits.items()}


def _range(values: NDArray[np.int64]) -> Range:
    return Range(smallest=int(values.min()), median=float(np.median(values)), largest=int(values.max()))
