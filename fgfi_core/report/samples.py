"""Which images are shown, and what is drawn over each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.matching import Verdict, judge
from fgfi_core.evaluation.report import Evaluation
from fgfi_core.report.inputs import Region, ReportInputs, Run
from fgfi_core.results import Role


@dataclass(frozen=True, eq=False)
class Shown:
    """What one role found in one image, above the threshold of each class, and how it was judged."""

    found: ImageDetections
    verdict: Verdict

    @property
    def errors(self) -> int:
        """Boxes missed plus false detections."""
        return int(self.verdict.missed.sum() + self.verdict.false.sum())


@dataclass(frozen=True, eq=False)
class Sample:
    """One image of the report."""

    example: Example
    roles: Mapping[Role, Shown]
    region: Region


def worst_first(inputs: ReportInputs, seed_of: Mapping[Role, int]) -> list[Sample]:
    """Choose the images with most errors of the delivered student, worst first.

    Detections are shown from the score on that balances precision and recall best for the role and class, so that no
    role looks better by a threshold that happens to suit it.
    """
    order: tuple[Role, ...] = ("imitated", "plain", "teacher")
    leading = next(role for role in order if role in seed_of)
    run: Run = leading, seed_of[leading]
    errors = [_of(inputs, run, i).errors for i in range(len(inputs.examples))]
    worst = sorted(range(len(inputs.examples)), key=lambda i: -errors[i])
    return [sample(inputs, i, seed_of) for i in worst[: inputs.pictures]]


def sample(inputs: ReportInputs, index: int, seed_of: Mapping[Role, int]) -> Sample:
    """One image as these runs see it."""
    example = inputs.examples[index]
    roles = {role: _of(inputs, (role, seed), index) for role, seed in seed_of.items()}
    return Sample(example, roles, inputs.regions(example) if inputs.regions else ())


def _of(inputs: ReportInputs, run: Run, index: int) -> Shown:
    thresholds = _thresholds(inputs.evaluations[run], inputs.result.classes)
    return _shown(inputs.detections[run][index], inputs.examples[index], thresholds)


def _thresholds(evaluation: Evaluation, classes: Sequence[str]) -> NDArray[np.float64]:
    return np.array([evaluation.classes[name].threshold for name in classes])


def _shown(found: ImageDetections, example: Example, thresholds: NDArray[np.float64]) -> Shown:
    keep = found.scores >= thresholds[found.labels]
    kept = ImageDetections(found.boxes[keep], found.scores[keep], found.labels[keep])
    return Shown(kept, judge(kept, example))


def region_share(region: Sequence[NDArray[np.bool_]]) -> float:
    """Share of the cells of all levels that are imitated."""
    cells = sum(mask.size for mask in region)
    return sum(int(mask.sum()) for mask in region) / cells if cells else 0.0
