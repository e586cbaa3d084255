"""How the arms of a group stand: a line for each, and what tells them apart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from api.schemas.groups import ArmOut, GroupOut, GroupSummary, VariantOut, gain_of, variants_of
from api.scores import ROLE_OF_STAGE, Scores
from store import groups
from store.standings import best_accuracy, best_by_seed
from store.states import is_terminal
from store.tables import Group, Job

NOT_COMPARED = ("name", "metadata", "resources", "preflight")
"""Fields in which arms may differ without it being what is compared."""
SAME_MEASURE = ("dataset", "seeds", "evaluation")
"""Fields that must be equal for the arms' numbers to stand beside each other."""


def brief(group: Group, states: Mapping[str, int]) -> GroupSummary:
    """The group in a list."""
    return GroupSummary(
        id=group.id,
        name=group.name,
        arms=len(group.variants),
        states=dict(states),
        over=all(is_terminal(state) for state in states),
        created_at=group.created_at,
    )


def whole(session: Session, group: Group) -> GroupOut:
    """The group in full."""
    found = {job.arm: job for job in groups.jobs_of(session, group)}
    ids = [job.id for job in found.values()]
    best, by_seed = best_accuracy(session, ids), best_by_seed(session, ids)
    specs = [job.spec for job in found.values()]
    return GroupOut(
        **brief(group, groups.states_of(session, [group.id])[group.id]).model_dump(),
        base=group.base,
        differs=list(differing(specs)),
        fair=all(spec.get(field) == specs[0].get(field) for spec in specs for field in SAME_MEASURE),
        summary=[_arm(variant, found.get(variant.label), best, by_seed) for variant in variants_of(group)],
    )


def differing(specs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Dotted paths of the fields in which specs differ, such as `method.threshold`."""
    compared = [{name: value for name, value in spec.items() if name not in NOT_COMPARED} for spec in specs]
    yield from _differing(compared, "")


def _differing(values: Sequence[Any], path: str) -> Iterator[str]:
    if all(value == values[0] for value in values):
        return
    # Of objects with a name, such as methods, fields can be compared only where the name is the same.
    if all(isinstance(value, Mapping) for value in values) and len({value.get("name") for value in values}) == 1:
        for name in _names(values):
            yield from _differing([value.get(name) for value in values], f"{path}.{name}" if path else name)
    elif all(isinstance(value, Mapping) for value in values) and path:
        yield f"{path}.name"
    else:
        yield path


def _names(values: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for value in values for name in value))


def _arm(
    variant: VariantOut,
    job: Job | None,
    best: Mapping[str, Mapping[str, float]],
    by_seed: Mapping[str, Mapping[str, Mapping[int, float]]],
) -> ArmOut:
    if job is None:
        nothing = dict.fromkeys(
            ("job_id", "state", "stage", "progress", "student", "method", "gain", "error", "finished_at")
        )
        return ArmOut(label=variant.label, changes=variant.changes, scores=Scores(), by_seed={}, **nothing)
    stages = by_seed.get(job.id, {})
    return ArmOut(
        label=variant.label,
        changes=variant.changes,
        job_id=job.id,
        state=job.state,
        stage=job.stage,
        progress=job.progress,
        student=job.spec["student"]["detector"],
        method=job.spec["method"]["name"],
        scores=Scores.of(best.get(job.id, {})),
        by_seed={role: dict(stages[stage]) for stage, role in ROLE_OF_STAGE.items() if stage in stages},
        gain=gain_of(job.result),
        error=job.error,
        finished_at=job.finished_at,
    )
