"""Tables of the published rules, where the spec asks for them: COCO's twelve numbers and KITTI's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fgfi_core.evaluation.report import DIFFICULTIES, CocoNumbers, Difficulty, KittiNumbers
from fgfi_core.report.roles import ROLES
from fgfi_core.results import JobResult, Role

# COCO's order; what each number is, and in words.
COCO: Mapping[str, tuple[str, str]] = {
    "ap": ("AP", "mean over IoU 0.50 to 0.95"),
    "ap50": ("AP50", "at IoU 0.50"),
    "ap75": ("AP75", "at IoU 0.75"),
    "ap_small": ("AP small", "below 32 x 32 square pixels"),
    "ap_medium": ("AP medium", "up to 96 x 96"),
    "ap_large": ("AP large", "from 96 x 96 on"),
    "ar1": ("AR 1", "recall, one detection an image"),
    "ar10": ("AR 10", "ten"),
    "ar100": ("AR 100", "a hundred"),
    "ar_small": ("AR small", "a hundred, small boxes"),
    "ar_medium": ("AR medium", "medium ones"),
    "ar_large": ("AR large", "large ones"),
}


@dataclass(frozen=True)
class NumberRow:
    """One number over the roles: means over seeds, None where the rule has nothing to measure."""

    name: str
    meaning: str
    values: Mapping[Role, float | None]

    @property
    def won(self) -> float | None:
        """Imitated minus plain."""
        plain, imitated = self.values.get("plain"), self.values.get("imitated")
        return None if plain is None or imitated is None else imitated - plain


@dataclass(frozen=True)
class KittiRow:
    """One class (or the mean) of one role: AP of each difficulty over 11 and over 40 recalls."""

    role: Role
    name: str
    ap11: Mapping[Difficulty, float | None]
    ap40: Mapping[Difficulty, float | None]


def coco_rows(result: JobResult) -> list[NumberRow]:
    """The twelve numbers; none where no training has them."""
    measured: dict[Role, list[CocoNumbers]] = {
        role: [t.coco for t in result.trainings if t.role == role and t.coco is not None] for role in ROLES
    }
    if not any(measured.values()):
        return []
    return [
        NumberRow(name, meaning, {role: mean([getattr(n, field) for n in own]) for role, own in measured.items()})
        for field, (name, meaning) in COCO.items()
    ]


def kitti_rows(result: JobResult) -> list[KittiRow]:
    """Class by class, the roles below one another; none where no training has them."""
    measured: dict[Role, list[KittiNumbers]] = {
        role: [t.kitti for t in result.trainings if t.role == role and t.kitti is not None] for role in ROLES
    }
    names = dict.fromkeys(name for own in measured.values() for numbers in own for name in numbers.classes)
    return [
        KittiRow(
            role,
            name,
            {level: mean([numbers.classes[name].ap11.get(level) for numbers in own]) for level in DIFFICULTIES},
            {level: mean([numbers.classes[name].ap40.get(level) for numbers in own]) for level in DIFFICULTIES},
        )
        for name in names
        for role, own in measured.items()
        if own
    ]


def kitti_means(result: JobResult) -> list[NumberRow]:
    """The plain means over classes and difficulties; the paper's is the one over 11 recalls."""
    rows = []
    for field, name, meaning in (
        ("map11", "mAP, 11 recalls", "the paper's: plain mean of classes and difficulties"),
        ("map40", "mAP, 40 recalls", "the benchmark's since 2019"),
    ):
        values = {
            role: mean([getattr(t.kitti, field) for t in result.trainings if t.role == role and t.kitti is not None])
            for role in ROLES
        }
        if any(value is not None for value in values.values()):
            rows.append(NumberRow(name, meaning, values))
    return rows


def mean(values: Sequence[float | None]) -> float | None:
    """Over seeds; None when a seed has no value."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None
