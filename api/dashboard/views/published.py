"""Results as papers print them: a line a detector, AP of each class, mAP; of the imitating student what it gained.

Where all jobs were measured by KITTI's rule, a class has its three difficulties and mAP is their plain mean, as in the
paper's table of the toy detector; else AP at IoU 0.5.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.dashboard.views.measured import Measured
from api.dashboard.views.numbers import NumberRow, Numbers
from api.scores import ROLES, Role

DIFFICULTIES = ("easy", "moderate", "hard")
MOST_CLASSES = 12
SUFFIX: Mapping[Role, str] = {"teacher": "", "plain": "", "imitated": "-I"}


@dataclass(frozen=True)
class Line:
    """One detector of one job. gain: of mAP over the same job's plain student, absolute and relative."""

    letter: str
    detector: str
    role: Role
    suffix: str
    cells: tuple[float | None, ...]
    mean: float
    gain: float | None
    relative: float | None


@dataclass(frozen=True)
class Published:
    """The table. groups: (title, columns) on top; columns: below, one a cell. rule: what the numbers are."""

    rule: str
    groups: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Source:
    """What is known of one job. detectors: what plays each role. numbers: of its evaluations while it trained."""

    letter: str
    detectors: Mapping[Role, str]
    numbers: Numbers | None
    measured: Measured | None


def published(sources: Sequence[Source]) -> Published:
    """Lay the table out; roles that were not measured have no line."""
    if sources and all(one.measured and one.measured.runs[0].evaluation.kitti for one in sources):
        return _by_kitti(sources)
    names = list(dict.fromkeys(row.label for one in sources for row in _classes(one)))
    shown = names if len(names) <= MOST_CLASSES else []
    lines = []
    for one in sources:
        by_name = {row.label: row for row in _classes(one)}
        total = one.numbers.rows[0] if one.numbers else None
        for role in ROLES:
            mean = total.values[role] if total else None
            if mean is not None and total is not None:
                cells = tuple(by_name[name].values[role] if name in by_name else None for name in shown)
                lines.append(_line(one, role, cells, mean, total.values["plain"]))
    return Published("AP at IoU 0.5, %", (), tuple(shown), tuple(lines))


def _classes(one: Source) -> list[NumberRow]:
    return [row for row in one.numbers.rows if not row.total] if one.numbers else []


def _by_kitti(sources: Sequence[Source]) -> Published:
    first = sources[0].measured
    names = list(first.runs[0].evaluation.kitti.classes) if first and first.runs[0].evaluation.kitti else []
    lines = []
    for one in sources:
        runs = (
            {role: [found.kitti for found in one.measured.of(role) if found.kitti] for role in ROLES}
            if one.measured
            else {}
        )
        means = {role: _mean([found.map11 for found in own]) for role, own in runs.items()}
        for role, own in runs.items():
            mean = means[role]
            if mean is not None:
                cells = tuple(
                    _mean([found.classes[name].ap11.get(difficulty) for found in own if name in found.classes])
                    for name in names
                    for difficulty in DIFFICULTIES
                )
                lines.append(_line(one, role, cells, mean, means["plain"]))
    groups = tuple((name, len(DIFFICULTIES)) for name in names)
    return Published("KITTI's AP over 11 recalls, %", groups, DIFFICULTIES * len(names), tuple(lines))


def _line(one: Source, role: Role, cells: tuple[float | None, ...], mean: float, plain: float | None) -> Line:
    gain = mean - plain if role == "imitated" and plain is not None else None
    relative = gain / plain if gain is not None and plain else None
    return Line(one.letter, one.detectors[role], role, SUFFIX[role], cells, mean, gain, relative)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(known) / len(known) if known else None
