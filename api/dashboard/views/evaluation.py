"""The page of a job's evaluation: accuracies by every rule, by class and by size, and what imitation brought."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from api.dashboard.views.confusion import Matrix, Mistake, matrix, mistakes
from api.dashboard.views.error_kinds import KindRow, kind_rows
from api.dashboard.views.measured import Evaluation, Gain, ImageChange, Measured
from api.dashboard.views.numbers import NumberRow
from api.scores import ROLES, Role

# Where the largest change is below a point, bars are drawn as if it were one, so that noise does not look like triumph.
LEAST_REACH = 0.01
MOST_IMAGES = 12
DIFFICULTIES = ("easy", "moderate", "hard")
COCO_LABELS = {
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_small": "AP, small",
    "ap_medium": "AP, medium",
    "ap_large": "AP, large",
    "ar100": "AR, 100 detections",
}
SIZES = {"small": "Small", "medium": "Medium", "large": "Large"}


class Read(Protocol):
    """A number of one class or size."""

    def __call__(self, one: Evaluation, key: str) -> float | None:
        """The number; None where it was not measured."""


@dataclass(frozen=True)
class ChangeRow:
    """A class or a size. boxes: that count. reach: the gain over the largest one of its table, in [-1, 1]."""

    row: NumberRow
    boxes: int
    reach: float


@dataclass(frozen=True)
class EvaluationView:
    """Everything on the page. seeds: of each role, the one that curves and matrices show."""

    roles: tuple[Role, ...]
    seeds: Mapping[Role, int]
    repeated: bool
    gain: Gain | None
    totals: tuple[NumberRow, ...]
    kitti: tuple[NumberRow, ...]
    classes: tuple[ChangeRow, ...]
    sizes: tuple[ChangeRow, ...]
    recalls: tuple[NumberRow, ...]
    gained: tuple[ImageChange, ...]
    lost: tuple[ImageChange, ...]
    gained_count: int
    lost_count: int
    kinds: tuple[KindRow, ...]
    matrices: tuple[tuple[Role, Matrix | None, tuple[Mistake, ...]], ...]
    curve_classes: tuple[str, ...]


def evaluation(measured: Measured) -> EvaluationView:
    """Put the page together; numbers of several seeds are their means."""
    runs = measured.shown()
    roles = tuple(role for role in ROLES if role in runs)
    first = runs[roles[0]].evaluation
    helped = measured.helped.get(runs["imitated"].seed) if "imitated" in runs else None
    gained, lost = (helped.gained, helped.lost) if helped else ((), ())
    classes = _changes(
        measured, {name: name for name in first.classes}, _class_ap, lambda key: first.classes[key].boxes
    )
    return EvaluationView(
        roles=roles,
        seeds={role: run.seed for role, run in runs.items()},
        repeated=len(measured.runs) > len(roles),
        gain=measured.gain,
        totals=tuple(_totals(measured)),
        kitti=tuple(_kitti(measured)),
        classes=classes,
        sizes=_changes(
            measured,
            {key: label for key, label in SIZES.items() if key in first.sizes and first.sizes[key].boxes},
            _size_ap,
            lambda key: first.sizes[key].boxes,
        ),
        recalls=tuple(
            _row(measured, label, partial(_recall, size=key))
            for key, label in SIZES.items()
            if key in first.sizes and first.sizes[key].boxes
        ),
        gained=gained[:MOST_IMAGES],
        lost=lost[:MOST_IMAGES],
        gained_count=len(gained),
        lost_count=len(lost),
        kinds=kind_rows({role: runs[role].evaluation.counts for role in roles}),
        matrices=tuple(
            (role, matrix(runs[role].evaluation.confusion), mistakes(runs[role].evaluation.confusion)) for role in roles
        ),
        # What changed most is what one wants to see first.
        curve_classes=tuple(row.row.label for row in sorted(classes, key=lambda row: -abs(row.reach))),
    )


def _totals(measured: Measured) -> Iterable[NumberRow]:
    yield _row(measured, "mAP50", lambda one: one.voc.map50, total=True)
    yield _row(measured, "mAP50, 11-point", lambda one: one.voc.map50_11)
    for key, label in COCO_LABELS.items():
        if any(run.evaluation.coco for run in measured.runs):
            yield _row(measured, f"COCO {label}", partial(_coco, key=key))


def _kitti(measured: Measured) -> Iterable[NumberRow]:
    known = [run.evaluation.kitti for run in measured.runs if run.evaluation.kitti]
    if not known:
        return
    for name in known[0].classes:
        for difficulty in DIFFICULTIES:
            yield _row(measured, f"{name}, {difficulty}", partial(_kitti_ap, name=name, difficulty=difficulty))
    yield _row(measured, "mAP, 11 recalls", lambda one: one.kitti.map11 if one.kitti else None, total=True)
    yield _row(measured, "mAP, 40 recalls", lambda one: one.kitti.map40 if one.kitti else None)


def _kitti_ap(one: Evaluation, name: str, difficulty: str) -> float | None:
    known = one.kitti.classes.get(name) if one.kitti else None
    return known.ap11.get(difficulty) if known else None


def _class_ap(one: Evaluation, key: str) -> float | None:
    return one.classes[key].ap50 if key in one.classes else None


def _size_ap(one: Evaluation, key: str) -> float | None:
    return one.sizes[key].ap50 if key in one.sizes else None


def _recall(one: Evaluation, size: str) -> float | None:
    return one.sizes[size].recall if size in one.sizes else None


def _coco(one: Evaluation, key: str) -> float | None:
    return (one.coco or {}).get(key)


def _changes(
    measured: Measured,
    labels: Mapping[str, str],
    read: Read,
    boxes: Callable[[str], int],
) -> tuple[ChangeRow, ...]:
    rows = {key: _row(measured, label, partial(read, key=key)) for key, label in labels.items()}
    largest = max([LEAST_REACH, *(abs(row.gain) for row in rows.values() if row.gain is not None)])
    return tuple(ChangeRow(row, boxes(key), (row.gain or 0.0) / largest) for key, row in rows.items())


def _row(
    measured: Measured, label: str, read: Callable[[Evaluation], float | None], *, total: bool = False
) -> NumberRow:
    values = {role: _mean([read(one) for one in measured.of(role)]) for role in ROLES}
    return NumberRow(label, values, total)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(known) / len(known) if known else None
