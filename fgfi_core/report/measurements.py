"""Measure every detector of a job by the rules that its spec asks for, and put the students side by side."""

from collections.abc import Collection, Mapping, Sequence

from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.gain import gain
from fgfi_core.evaluation.helped import where_helped
from fgfi_core.evaluation.measure import measure
from fgfi_core.report.inputs import Run
from fgfi_core.results import JobEvaluation, JobResult, RunEvaluation, Training


def measure_all(
    detections: Mapping[Run, Sequence[ImageDetections]],
    examples: Sequence[Example],
    classes: Sequence[str],
    rules: Collection[str],
) -> JobEvaluation:
    """Measure each run on the same examples. Raises BadSpec for classes that a rule does not know."""
    measured = {run: measure(found, examples, classes, rules) for run, found in detections.items()}
    plain, imitated = (
        {seed: one for (r, seed), one in measured.items() if r == role} for role in ("plain", "imitated")
    )
    return JobEvaluation(
        runs=tuple(RunEvaluation(role=role, seed=seed, evaluation=one) for (role, seed), one in measured.items()),
        helped={seed: where_helped(plain[seed], imitated[seed]) for seed in plain if seed in imitated},
        gain=gain(
            {seed: one.voc.map50 for seed, one in plain.items()},
            {seed: one.voc.map50 for seed, one in imitated.items()},
        ),
    )


def completed(result: JobResult, evaluation: JobEvaluation) -> JobResult:
    """The result with the gain, and COCO's and KITTI's numbers of each training."""
    measured = {(run.role, run.seed): run.evaluation for run in evaluation.runs}

    def with_rules(training: Training) -> Training:
        one = measured[training.role, training.seed]
        return training.model_copy(update={"coco": one.coco, "kitti": one.kitti})

    trainings = tuple(with_rules(training) for training in result.trainings)
    return result.model_copy(update={"trainings": trainings, "gain": evaluation.gain})
