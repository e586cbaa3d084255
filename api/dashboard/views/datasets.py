"""Data sets: the list, and what the check found in one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.pages import Page
from store.tables import Dataset

# COCO's bounds.
SIZES = (("small", "up to 32 px square"), ("medium", "up to 96 px square"), ("large", "above"))


@dataclass(frozen=True)
class DatasetRow:
    """One data set in the list. `facts`: what its check counted, in words."""

    row: Dataset
    images: int | None
    classes: int | None
    errors: int
    warnings: int


@dataclass(frozen=True)
class DatasetList:
    """A page of data sets, newest first."""

    rows: tuple[DatasetRow, ...]
    newest: str | None
    older: str | None


@dataclass(frozen=True)
class Bar:
    """One bar of a small chart. share: of the longest bar, in [0, 1]."""

    label: str
    count: int
    share: float


@dataclass(frozen=True)
class ClassRow:
    """One class. Median sides in pixels of the original images, None without a box."""

    name: str
    boxes: int
    images: int
    share: float
    width: float | None
    height: float | None


@dataclass(frozen=True)
class Report:
    """The report of a check, laid out. problems: as `check` lists them, errors first."""

    format: str
    images: int
    boxes: int
    splits: Mapping[str, Mapping[str, Any]]
    classes: tuple[ClassRow, ...]
    sizes: tuple[Bar, ...]
    per_image: tuple[Bar, ...]
    aspects: tuple[Bar, ...]
    width: Mapping[str, float]
    height: Mapping[str, float]
    problems: Sequence[Mapping[str, Any]]
    errors: int
    warnings: int
    leaks: Sequence[Mapping[str, Any]]


def dataset_list(page: Page[Dataset], cursor: str) -> DatasetList:
    """Lay a page of rows out."""
    rows = tuple(_row(row) for row in page.rows)
    older = f"/datasets?cursor={page.next_cursor}" if page.next_cursor else None
    return DatasetList(rows, "/datasets" if cursor else None, older)


def report(found: Mapping[str, Any] | None) -> Report | None:
    """Lay a stored report out; None before the check is done, or where nothing could be read."""
    if not found:
        return None
    statistics = found.get("statistics") or {}
    counts = found.get("problem_counts") or {}
    return Report(
        format=str(found["format"]),
        images=found["images"],
        boxes=found["boxes"],
        splits=found["splits"],
        classes=_classes(found["classes"]),
        sizes=_bars([(f"{name} ({what})", (statistics.get("sizes") or {}).get(name, 0)) for name, what in SIZES]),
        per_image=_histogram(statistics.get("boxes_per_image")),
        aspects=_histogram(statistics.get("aspect_ratios")),
        width=found["width"],
        height=found["height"],
        problems=found["problems"],
        errors=counts.get("error", 0),
        warnings=counts.get("warning", 0),
        leaks=found.get("leaks") or (),
    )


def _row(row: Dataset) -> DatasetRow:
    found = row.report or {}
    counts = found.get("problem_counts") or {}
    classes = found.get("classes")
    return DatasetRow(
        row=row,
        images=found.get("images"),
        classes=len(classes) if classes is not None else None,
        errors=counts.get("error", 0),
        warnings=counts.get("warning", 0),
    )


def _classes(found: Mapping[str, Mapping[str, Any]]) -> tuple[ClassRow, ...]:
    most = max((one["boxes"] for one in found.values()), default=0)
    rows = [
        ClassRow(
            name=name,
            boxes=one["boxes"],
            images=one["images"],
            share=one["boxes"] / most if most else 0.0,
            width=one["median_width"],
            height=one["median_height"],
        )
        for name, one in found.items()
    ]
    return tuple(sorted(rows, key=lambda one: -one.boxes))


def _histogram(found: Mapping[str, Any] | None) -> tuple[Bar, ...]:
    """Bars of a histogram, from its first to its last part that holds anything."""
    if not found:
        return ()
    starts, counts = found["starts"], found["counts"]
    filled = [index for index, count in enumerate(counts) if count]
    if not filled:
        return ()
    inside = range(filled[0], filled[-1] + 1)
    return _bars([(_part(starts, index), counts[index]) for index in inside])


def _part(starts: Sequence[float], index: int) -> str:
    start = f"{starts[index]:g}"
    if index + 1 == len(starts):
        return f"{start} or more"
    end = starts[index + 1]
    whole = all(float(one).is_integer() for one in starts)
    if whole:
        return start if end - starts[index] == 1 else f"{start} to {end - 1:g}"
    return f"{start} to {end:g}"


def _bars(counted: Sequence[tuple[str, int]]) -> tuple[Bar, ...]:
    most = max((count for _, count in counted), default=0)
    return tuple(Bar(label, count, count / most if most else 0.0) for label, count in counted)
