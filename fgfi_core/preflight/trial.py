"""Steps of each training on models that are thrown away, to see what they cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from fgfi_core.data.loader import Batch
from fgfi_core.detectors import Detector
from fgfi_core.preflight.pair import batch, build, fresh
from fgfi_core.results import Role
from fgfi_core.spec import Imitation, Schedule
from fgfi_core.spec.recipes import recipe
from fgfi_core.training.device import Placement
from fgfi_core.training.resolve import Side
from fgfi_core.training.step import Step
from fgfi_core.training.task import Imitate
from fgfi_core.training.trainings import Bench

SIDE: Mapping[Role, Side] = {"teacher": "teacher", "plain": "student", "imitated": "student"}


@dataclass(frozen=True)
class Trial:
    """A learner that is thrown away."""

    detector: Detector
    schedule: Schedule
    placement: Placement
    imitate: Imitate | None
    bias_factor: float


def roles(bench: Bench) -> tuple[Role, ...]:
    """The roles that this job trains."""
    spec = bench.resolved.spec
    imitates = isinstance(spec.method, Imitation)
    trained: dict[Role, bool] = {
        "teacher": bench.epochs("teacher") > 0,
        "plain": spec.baseline or not imitates,
        "imitated": imitates,
    }
    return tuple(role for role, is_trained in trained.items() if is_trained)


def trial_step(bench: Bench, role: Role, schedule: Schedule) -> Step:
    """The step of a role's training, from fresh weights, by a schedule like the job's."""
    method = bench.resolved.spec.method
    imitate = None
    if role == "imitated" and isinstance(method, Imitation):
        pair = build(bench, method)
        detector, imitate = pair.student, pair.imitate
    else:
        detector = fresh(bench, SIDE[role])
    factor = recipe(detector.name, schedule.optimizer).bias_factor
    detector.train()
    return Step(Trial(detector, schedule, bench.placement, imitate, factor))


def images(bench: Bench, role: Role, count: int) -> Batch:
    """A batch of training images for a role, of `count` where there are as many; images repeat to fill it."""
    found = batch(bench, SIDE[role], count)
    missing = count - len(found.targets)
    if missing <= 0:
        return found
    index = [number % len(found.targets) for number in range(count)]
    return Batch(found.images[index], [found.targets[number] for number in index])
