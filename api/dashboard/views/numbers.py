"""The table of teacher, plain and imitated student: mean AP and each class, at each detector's best evaluation."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.scores import ROLE_OF_STAGE, ROLES, Role
from store.metrics import Series

HEADLINE = "val/map50"
ELEVEN_POINT = "val/map50_11"
CLASS = "val/ap50/"
NAMES = (HEADLINE, ELEVEN_POINT, f"{CLASS}*")


@dataclass(frozen=True)
class NumberRow:
    """One line: accuracies as fractions by role. gain: imitated minus plain; closed: share of the gap."""

    label: str
    values: Mapping[Role, float | None]
    total: bool

    @property
    def gain(self) -> float | None:
        """What imitation brought."""
        plain, imitated = self.values["plain"], self.values["imitated"]
        return None if plain is None or imitated is None else imitated - plain

    @property
    def closed(self) -> float | None:
        """Share of the gap to the teacher that imitation closed; None where the teacher is not the better one."""
        teacher, plain = self.values["teacher"], self.values["plain"]
        if self.gain is None or teacher is None or plain is None or teacher <= plain:
            return None
        return self.gain / (teacher - plain)


@dataclass(frozen=True)
class Best:
    """Where a role's best evaluation was; over several seeds the mean of their epochs."""

    epoch: float
    seeds: int


@dataclass(frozen=True)
class Numbers:
    """The table, and where each role was at its best."""

    rows: tuple[NumberRow, ...]
    best: Mapping[Role, Best | None]


def numbers(series: Sequence[Series]) -> Numbers | None:
    """Read the table off the metrics; None before the first evaluation."""
    best_steps = _best_steps(series)
    if not best_steps:
        return None
    gathered: dict[str, dict[Role, list[float]]] = {}
    for one in series:
        role, step = ROLE_OF_STAGE.get(one.stage), best_steps.get((one.stage, one.seed))
        value = next((point.value for point in one.points if step and point.step == step[0]), None)
        if role is not None and value is not None and math.isfinite(value):
            gathered.setdefault(one.name, {}).setdefault(role, []).append(value)
    rows = [_row(label, gathered[name], total=True) for name, label in _TOTALS if name in gathered]
    classes = sorted(name for name in gathered if name.startswith(CLASS))
    rows += [_row(name.removeprefix(CLASS), gathered[name], total=False) for name in classes]
    return Numbers(tuple(rows), {role: _best(role, best_steps) for role in ROLES})


_TOTALS = ((HEADLINE, "mAP50"), (ELEVEN_POINT, "mAP50, 11-point"))


def _best_steps(series: Sequence[Series]) -> dict[tuple[str, int], tuple[int, float]]:
    """Step and epoch of the best evaluation, by stage and seed."""
    found = {}
    for one in series:
        finite = [point for point in one.points if math.isfinite(point.value)]
        if one.name == HEADLINE and finite:
            best = max(finite, key=lambda point: point.value)
            found[(one.stage, one.seed)] = (best.step, best.epoch)
    return found


def _best(role: Role, steps: Mapping[tuple[str, int], tuple[int, float]]) -> Best | None:
    epochs = [epoch for (stage, _), (_, epoch) in steps.items() if ROLE_OF_STAGE.get(stage) == role]
    return Best(sum(epochs) / len(epochs), len(epochs)) if epochs else None


def _row(label: str, values: Mapping[Role, list[float]], *, total: bool) -> NumberRow:
    means = {role: sum(values[role]) / len(values[role]) if values.get(role) else None for role in ROLES}
    return NumberRow(label, means, total)
