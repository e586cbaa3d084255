"""Everything there is to say of one detector on one split."""

from collections.abc import Collection, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.evaluation import coco, kitti, voc
from fgfi_core.evaluation.confusion import confusion
from fgfi_core.evaluation.error_kinds import Outcome, counts, outcome
from fgfi_core.evaluation.flat import Flat, flatten
from fgfi_core.evaluation.found import ImageDetections
from fgfi_core.evaluation.matching import judge_all
from fgfi_core.evaluation.report import ClassEvaluation, Counts, Curve, Evaluation, ImageErrors, VocNumbers
from fgfi_core.evaluation.sizes import sizes
from fgfi_core.evaluation.voc import ClassResult, VocReport

Rule = Literal["voc07", "voc", "coco", "kitti"]
RULES: tuple[Rule, ...] = get_args(Rule)
MAX_POINTS = 200


def measure(
    detections: Sequence[ImageDetections], examples: Sequence[Example], classes: Sequence[str], rules: Collection[str]
) -> Evaluation:
    """Measure detections against the examples' boxes, image by image in the same order.

    rules: some of RULES; Pascal VOC's two are always measured, for everything else here is counted by its matching.
    Raises BadData when no box counts, BadSpec for an unknown rule or classes that a rule does not know, ValueError when
    the two lists differ in length.
    """
    unknown = sorted(set(rules) - set(RULES))
    if unknown:
        raise BadSpec(f"'evaluation' has {', '.join(map(repr, unknown))}.", hint=f"Choose from {', '.join(RULES)}.")
    flat = flatten(detections, examples)
    by_kitti = kitti.evaluate(flat, classes) if "kitti" in rules else None
    judged = judge_all(flat)
    report = voc.report(flat, judged, classes)
    if all(result.ap is None for result in report.classes.values()):
        raise BadData("The measured split has no box that counts.", hint="Choose a split with labelled images.")
    thresholds = np.array([result.best_threshold for result in report.classes.values()])
    kept = flat.found.scores >= thresholds[flat.found.labels]
    result = outcome(flat, judged, kept)
    in_all, by_class = counts(flat, result, classes)
    by_coco, coco_classes = coco.evaluate(flat, classes) if "coco" in rules else (None, {})
    return Evaluation(
        voc=VocNumbers(map50=report.map50, map50_11=report.map50_11),
        coco=by_coco,
        kitti=by_kitti,
        classes={name: _class(name, report, by_class[name], coco_classes.get(name)) for name in classes},
        sizes=sizes(flat, judged, result, classes),
        counts=in_all,
        confusion=confusion(flat, kept, classes),
        images=_images(flat, result, examples),
    )


def _class(name: str, report: VocReport, counted: Counts, by_coco: coco.ClassNumbers | None) -> ClassEvaluation:
    result = report.classes[name]
    return ClassEvaluation(
        boxes=result.boxes,
        threshold=result.best_threshold,
        ap50=result.ap,
        ap50_11=result.ap_11,
        ap=by_coco.ap if by_coco else None,
        ap75=by_coco.ap75 if by_coco else None,
        counts=counted,
        curve=_curve(result),
    )


def _curve(result: ClassResult) -> Curve:
    points = _thinned(result.recall)
    return Curve(
        precision=tuple(result.precision[points].tolist()),
        recall=tuple(result.recall[points].tolist()),
        scores=tuple(result.scores[points].astype(float).tolist()),
    )


def _thinned(recall: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of the points to keep: all, or both ends and where recall first reaches evenly spaced values."""
    last = len(recall) - 1
    if last < MAX_POINTS:
        return np.arange(len(recall))
    reached = np.searchsorted(recall, np.linspace(0, recall[-1], MAX_POINTS - 1))
    return np.unique(np.append(reached, [0, last]))


def _images(flat: Flat, result: Outcome, examples: Sequence[Example]) -> tuple[ImageErrors, ...]:
    columns = [
        np.bincount(image, minlength=flat.images).tolist()
        for image in (
            flat.found.image[result.true],
            flat.found.image[result.error >= 0],
            flat.truth.image[result.missed],
        )
    ]
    return tuple(
        ImageErrors(image_id=example.image_id, true=true, false=false, missed=missed)
        for example, true, false, missed in zip(examples, *columns, strict=True)
    )
