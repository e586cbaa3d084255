"""Where the teacher helped: changes per class and size over all seeds, and the images of one seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fgfi_core.evaluation.report import SIZES, Change, Evaluation, Helped, ImageChange
from fgfi_core.report.roles import ROLES
from fgfi_core.report.rules import mean
from fgfi_core.results import Role

MOST_CLASSES = 24
MOST_IMAGES = 2
# Where the largest change is below a point, bars are drawn as if it were one, so that noise does not look like triumph.
LEAST_REACH = 0.01


@dataclass(frozen=True)
class ChangeRow:
    """One class or size: means over seeds. reach: the change over the largest one, or over a point; in [-1, 1]."""

    name: str
    plain: float | None
    imitated: float | None
    won: float | None
    reach: float


@dataclass(frozen=True)
class SizeRow:
    """Boxes of one size over the roles; means over seeds."""

    name: str
    boxes: int
    ap50: Mapping[Role, float | None]
    recall: Mapping[Role, float | None]


def class_changes(helped: Sequence[Helped]) -> list[ChangeRow]:
    """Classes, most won first, those with the largest changes where there are many; none without a pair of students."""
    rows = _rows({name: [one.classes[name] for one in helped] for name in (helped[0].classes if helped else ())})
    known = [row for row in rows if row.won is not None]
    largest = sorted(known, key=lambda row: -abs(row.won or 0))[:MOST_CLASSES]
    return sorted(largest, key=lambda row: -(row.won or 0))


def size_changes(helped: Sequence[Helped]) -> list[ChangeRow]:
    """Small, medium and large boxes."""
    return _rows({size: [one.sizes[size] for one in helped] for size in SIZES if helped and size in helped[0].sizes})


def size_rows(evaluations: Mapping[Role, Sequence[Evaluation]]) -> list[SizeRow]:
    """Sizes that the split has boxes of."""
    first = next(iter(evaluations.values()))[0]
    return [
        SizeRow(
            size,
            first.sizes[size].boxes,
            {role: mean([one.sizes[size].ap50 for one in own]) for role, own in evaluations.items()},
            {role: mean([one.sizes[size].recall for one in own]) for role, own in evaluations.items()},
        )
        for size in SIZES
        if size in first.sizes and first.sizes[size].boxes
    ]


def by_role(evaluations: Mapping[tuple[Role, int], Evaluation]) -> dict[Role, list[Evaluation]]:
    """All seeds of each role, in the order of the roles."""
    grouped = {role: [one for (r, _), one in evaluations.items() if r == role] for role in ROLES}
    return {role: own for role, own in grouped.items() if own}


def shown(changes: Sequence[ImageChange]) -> list[ImageChange]:
    """The images with the largest changes."""
    return list(changes[:MOST_IMAGES])


def _rows(changes: Mapping[str, Sequence[Change]]) -> list[ChangeRow]:
    means = {name: (mean([c.plain for c in own]), mean([c.imitated for c in own])) for name, own in changes.items()}
    won = {name: None if p is None or i is None else i - p for name, (p, i) in means.items()}
    largest = max([LEAST_REACH, *(abs(value) for value in won.values() if value is not None)])
    return [ChangeRow(name, *means[name], won=value, reach=(value or 0.0) / largest) for name, value in won.items()]
