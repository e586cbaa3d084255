"""Which images are shown, and what is drawn over each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.matching import Verdict, judge
from fgfi_core.evaluation.voc import VocReport
from fgfi_core.report.inputs import Region, ReportInputs
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


def worst_first(
    inputs: ReportInputs, seed_of: Mapping[Role, int], evaluations: Mapping[Role, VocReport]
) -> list[Sample]:
    """Choose the images with most errors of the delivered student, worst first.

    Detections are shown from the score on that balances precision and recall best for the role and class, so that no
    role looks better by a threshold that happens to suit it.
    """
    judged = {
        role: [
            _shown(found, example, _thresholds(evaluations[role]))
            for found, example in zip(inputs.detections[role, seed], inputs.examples, strict=True)
        ]
        for role, seed in seed_of.items()
    }
    leading = next(role for role in ("imitated", "plain", "teacher") if role in judged)
    order = sorted(range(len(inputs.examples)), key=lambda i: -judged[leading][i].errors)
    return [_sample(inputs, i, {role: shown[i] for role, shown in judged.items()}) for i in order[: inputs.pictures]]


def _sample(inputs: ReportInputs, index: int, roles: Mapping[Role, Shown]) -> Sample:
    example = inputs.examples[index]
    return Sample(example, roles, inputs.regions(example) if inputs.regions else ())


def _thresholds(evaluation: VocReport) -> NDArray[np.float64]:
    return np.array([result.best_threshold for result in evaluation.classes.values()])


def _shown(found: ImageDetections, example: Example, thresholds: NDArray[np.float64]) -> Shown:
    keep = found.scores >= thresholds[found.labels]
    kept = ImageDetections(found.boxes[keep], found.scores[keep], found.labels[keep])
    return Shown(kept, judge(kept, example))


def region_share(region: Sequence[NDArray[np.bool_]]) -> float:
    """Share of the cells of all levels that are imitated."""
    cells = sum(mask.size for mask in region)
    return sum(int(mask.sum()) for mask in region) / cells if cells else 0.0
