"""The report's curves: detection loss and mAP over epochs, precision over recall."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fgfi_core.evaluation.report import Curve, Evaluation
from fgfi_core.report.chart import Axis, Series, line_chart
from fgfi_core.report.inputs import Point, Run
from fgfi_core.report.roles import ROLES
from fgfi_core.results import Role

# The chart's width in pixels is about this; more points of a curve would be invisible bytes.
MAX_POINTS = 240
MAX_CLASSES = 24


@dataclass(frozen=True)
class PrecisionRecall:
    """The curve of one class, all roles over one another."""

    name: str
    boxes: int
    chart: Markup


def loss_chart(history: Mapping[Run, Sequence[Point]]) -> Markup:
    """Detection loss, averaged over each epoch; the imitation term is left out, as the roles differ in having it."""
    lines = {run: _by_epoch(points) for run, points in history.items()}
    return line_chart(_with_means(lines, marks=False), Axis("epoch", low=0), Axis("detection loss", low=0))


def map_chart(history: Mapping[Run, Sequence[Point]]) -> Markup:
    """MAP at IoU 0.5 on the measured split over epochs."""
    lines = {
        run: [(epoch, values["val/map50"]) for _, epoch, values in points if "val/map50" in values]
        for run, points in history.items()
    }
    return line_chart(_with_means(lines, marks=True), Axis("epoch", low=0), Axis("mAP, %", low=0, percent=True))


def precision_recall(evaluations: Mapping[Role, Evaluation]) -> list[PrecisionRecall]:
    """One chart a class, those with most boxes first, at most MAX_CLASSES."""
    first = next(iter(evaluations.values()))
    names = [name for name, result in first.classes.items() if result.boxes]
    names.sort(key=lambda name: -first.classes[name].boxes)
    return [
        PrecisionRecall(name, first.classes[name].boxes, _precision_recall(name, evaluations))
        for name in names[:MAX_CLASSES]
    ]


def _precision_recall(name: str, evaluations: Mapping[Role, Evaluation]) -> Markup:
    series = [
        Series(role, ROLES[role].title, _thinned(evaluations[role].classes[name].curve))
        for role in ROLES
        if role in evaluations
    ]
    recall, precision = (Axis(f"{title}, %", low=0, high=1, percent=True) for title in ("recall", "precision"))
    return line_chart(series, recall, precision, size=(330, 260))


def _thinned(curve: Curve) -> list[tuple[float, float]]:
    points = list(zip(curve.recall, curve.precision, strict=True))
    step = max(1, math.ceil(len(points) / MAX_POINTS))
    return [*points[:-1:step], *points[-1:]]


def _by_epoch(points: Sequence[Point]) -> list[tuple[float, float]]:
    epochs: dict[int, list[float]] = defaultdict(list)
    for _, epoch, values in points:
        terms = [v for name, v in values.items() if name.startswith("loss/") and name != "loss/imitation"]
        if terms:
            # A value stands for the steps before it: one logged at exactly 3.0 belongs to the third epoch.
            epochs[math.ceil(epoch - 1e-9)].append(math.fsum(terms))
    return [(float(epoch), math.fsum(sums) / len(sums)) for epoch, sums in sorted(epochs.items())]


def _with_means(lines: Mapping[Run, list[tuple[float, float]]], *, marks: bool) -> list[Series]:
    """Every seed's line, and with several seeds their mean on top, where all of them have a value."""
    series = []
    for role, identity in ROLES.items():
        own = {seed: points for (r, seed), points in lines.items() if r == role and points}
        several = len(own) > 1
        series += [
            Series(role, f"{identity.title}, seed {seed}", points, faint=several, marks=marks and not several)
            for seed, points in own.items()
        ]
        if several:
            series.append(Series(role, f"{identity.title}, mean", _mean(list(own.values())), marks=marks))
    return series


def _mean(lines: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    tables = [dict(points) for points in lines]
    shared = sorted(set.intersection(*(set(table) for table in tables)))
    return [(x, math.fsum(table[x] for table in tables) / len(tables)) for x in shared]
