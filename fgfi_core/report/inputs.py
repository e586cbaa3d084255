"""What a report is made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example, Problem
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.report import Evaluation, Helped
from fgfi_core.preflight.report import PreflightReport
from fgfi_core.report.features import FeatureDistances
from fgfi_core.results import JobResult, Role

# Which training: its role and seed.
Run = tuple[Role, int]
# Values measured at a step: (step, epoch, values by name).
Point = tuple[int, float, Mapping[str, float]]
# One mask of the imitated cells per level, finest first, each [H_l, W_l] over the whole image.
Region = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """Everything the report shows.

    spec: the resolved job spec as JSON. examples: the measured split. detections, evaluations: per run, at the best
    checkpoint; detections of all examples in their order. history: per run. helped: where the teacher helped, by seed.
    regions: the imitation region of an example, or None when nothing was imitated. distances: of the students' maps to
    the teacher's. findings: of the pre-flight, None where there was none. problems: what the reader found in the data.
    card: the model card's text. pictures: how many images are shown.
    """

    result: JobResult
    spec: Mapping[str, Any]
    examples: Sequence[Example]
    detections: Mapping[Run, Sequence[ImageDetections]]
    evaluations: Mapping[Run, Evaluation]
    history: Mapping[Run, Sequence[Point]]
    helped: Mapping[int, Helped] = field(default_factory=dict)
    regions: Callable[[Example], Region] | None = None
    distances: FeatureDistances | None = None
    findings: PreflightReport | None = None
    problems: Sequence[Problem] = field(default=())
    card: str = ""
    pictures: int = 6
