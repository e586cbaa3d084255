"""The report's numbers: the headline, one row a role, one row a seed, one row a class."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fgfi_core.evaluation.gain import say
from fgfi_core.evaluation.report import Evaluation
from fgfi_core.report.roles import ROLES, Identity
from fgfi_core.results import JobResult, Role, Training


@dataclass(frozen=True)
class RoleRow:
    """One role over its seeds. map50, map50_11: means; spread: lowest and highest map50 of several seeds."""

    identity: Identity
    detector: str
    map50: float
    map50_11: float
    spread: tuple[float, float] | None
    seeds: tuple[int, ...]
    seconds: float
    weights: tuple[float, ...]


@dataclass(frozen=True)
class SeedRow:
    """One seed: mAP of each role that has it, what imitation won, and the share of the gap to the teacher."""

    seed: int
    map50: Mapping[Role, float]
    won: float | None
    gap_closed: float | None


@dataclass(frozen=True)
class ClassRow:
    """One class. ap50: mean over seeds, None where the split has no box of it. won: imitated minus plain."""

    name: str
    boxes: int
    ap50: Mapping[Role, float | None]
    won: float | None


def role_rows(result: JobResult) -> list[RoleRow]:
    """In the order of the roles, without those that were not trained."""
    return [_role_row(ROLES[role], own) for role in ROLES if (own := _of(result, role))]


def _role_row(identity: Identity, own: list[Training]) -> RoleRow:
    scores = [training.score.map50 for training in own]
    return RoleRow(
        identity=identity,
        detector=own[0].detector,
        map50=_mean(scores),
        map50_11=_mean([training.score.map50_11 for training in own]),
        spread=(min(scores), max(scores)) if len(own) > 1 else None,
        seeds=tuple(training.seed for training in own),
        seconds=math.fsum(training.seconds for training in own),
        weights=tuple(weight for training in own for weight in training.imitation_weights.values()),
    )


def seed_rows(result: JobResult) -> list[SeedRow]:
    """One row for each seed of the students; the teacher is trained once and serves them all."""
    teacher = result.map50("teacher")
    students = [training for training in result.trainings if training.role != "teacher"]
    rows = []
    for seed in dict.fromkeys(training.seed for training in students):
        map50: dict[Role, float] = {t.role: t.score.map50 for t in students if t.seed == seed}
        plain, imitated = map50.get("plain"), map50.get("imitated")
        won = imitated - plain if imitated is not None and plain is not None else None
        closed = None
        if won is not None and plain is not None and teacher is not None and teacher > plain:
            closed = won / (teacher - plain)
        rows.append(SeedRow(seed, map50, won, closed))
    return rows


def class_rows(result: JobResult, evaluation: Evaluation) -> list[ClassRow]:
    """Those with most boxes first."""
    rows = []
    for name in result.classes:
        ap50 = {role: _class_mean(_of(result, role), name) for role in ROLES if _of(result, role)}
        plain, imitated = ap50.get("plain"), ap50.get("imitated")
        won = imitated - plain if imitated is not None and plain is not None else None
        rows.append(ClassRow(name, evaluation.classes[name].boxes, ap50, won))
    return sorted(rows, key=lambda row: -row.boxes)


def verdict(result: JobResult) -> str:
    """Say what imitation did, how sure that is, and what cannot be said."""
    teacher, plain, imitated = (result.map50(role) for role in ROLES)
    if imitated is None:
        return "No student imitated in this job: there is no gap to close."
    if plain is None:
        return "The plain student was switched off, so nobody can say what imitation won: the gap is undefined."
    if result.gain is None:
        won = f"Imitation changed the student by {100 * (imitated - plain):+.1f} points of mAP."
    else:
        won = say(result.gain)
    if teacher is None:
        return f"{won} Without a teacher's score the gap is undefined."
    if teacher <= plain:
        return (
            f"{won} But the teacher is not better than the plain student "
            f"({100 * teacher:.1f} against {100 * plain:.1f}): the gap is undefined."
        )
    return f"{won} Between the plain student and the teacher lie {100 * (teacher - plain):.1f}."


def _of(result: JobResult, role: Role) -> list[Training]:
    return [training for training in result.trainings if training.role == role]


def _class_mean(own: list[Training], name: str) -> float | None:
    values = [value for training in own if (value := training.score.ap50.get(name)) is not None]
    return _mean(values) if values else None


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)
