"""Checks of minutes before training of hours: what would make a job's numbers worthless is said at its start."""

from collections.abc import Sequence

import torch

from fgfi_core import events, imitation
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.transforms import scale_boxes
from fgfi_core.detectors import Detector, Target
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.imitation import FrozenTeacher, RegionEstimator, StudentPass
from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.spec import Imitation
from fgfi_core.training.initialise import from_file
from fgfi_core.training.resolve import ResolvedSpec, Side
from fgfi_core.training.task import Emit
from fgfi_core.training.trainings import Bench

SAMPLE = 256
SHOWN_PROBLEMS = 20
UNREACHED_SHARE = 0.05
UNREACHED_IOU = 0.2
WHOLE_MAP_SHARE = 0.95


def check_data(resolved: ResolvedSpec, dataset: Dataset, emit: Emit) -> dict[str, float]:
    """Both splits hold what a training and a measurement need; returns counts for the stage's summary.

    Raises BadSpec when the splits share images; BadData when a class of the val split is never seen in training, or the
    val split has no box.
    """
    for problem in dataset.problems[:SHOWN_PROBLEMS]:
        emit(events.Log(level="warning", message=str(problem), code="data_problem"))
    if len(dataset.problems) > SHOWN_PROBLEMS:
        more = f"and {len(dataset.problems) - SHOWN_PROBLEMS} more; the check of the data set lists them."
        emit(events.Log(level="warning", message=more, code="data_problem"))
    spec = resolved.spec.dataset
    train, val = dataset.splits[spec.train], dataset.splits[spec.val]
    shared = dataset.shared(spec.train, spec.val)
    if shared:
        raise BadSpec(
            f"dataset.train '{spec.train}' and dataset.val '{spec.val}' share {len(shared)} images, "
            f"for instance '{min(shared)}': the measured images must not be trained on.",
            hint=f"Choose two of the splits that share none: {', '.join(sorted(dataset.splits))}.",
        )
    trained, measured = _class_counts(train, len(dataset.classes)), _class_counts(val, len(dataset.classes))
    if not sum(measured):
        raise BadData(f"the split '{spec.val}' has no box to measure on.", hint="Check its annotations.")
    for name, in_train, in_val in zip(dataset.classes, trained, measured, strict=True):
        if in_val and not in_train:
            raise BadData(
                f"class '{name}' has {in_val} boxes in '{spec.val}' and none in '{spec.train}'.",
                hint="Add training examples of it, or remove the class from the annotations.",
            )
        if in_train and not in_val:
            text = f"class '{name}' has no box in '{spec.val}': its AP is not measured."
            emit(events.Log(level="warning", message=text, code="class_not_measured"))
    return {
        "train_images": len(train),
        "val_images": len(val),
        "train_boxes": sum(trained),
        "val_boxes": sum(measured),
        "classes": len(dataset.classes),
    }


def check_first_weights(bench: Bench) -> None:
    """ImageNet's weights and files can be had and fit; the student's are else asked for after the teacher's training.

    Raises WeightsUnavailable or BadData.
    """
    spec = bench.resolved.spec
    sides: tuple[tuple[Side, str], ...] = (("teacher", spec.teacher.init), ("student", spec.student.init))
    for side, init in sides:
        if init == "imagenet":
            bench.create(side).imagenet_weights()
        elif init == "file":
            from_file(bench.create(side), bench.weights[side], complete=side == "teacher" and spec.teacher.epochs == 0)


def check_method(bench: Bench, method: Imitation) -> dict[str, float]:
    """Teacher and student can be paired, and there is something to imitate; returns shares of the region.

    One image goes through the method, so that what does not fit is said before the teacher is trained.
    Raises BadSpec for a pair that the method cannot serve.
    """
    teacher, student = bench.create("teacher"), bench.create("student")
    module = imitation.create(method, teacher, student)
    _tell_unmatched(module.teacher, student, bench.emit)
    _try_out(module, student)
    return _check_region(module, bench) if isinstance(module, MaskedImitation) else {}


def _tell_unmatched(teacher: FrozenTeacher, student: Detector, emit: Emit) -> None:
    match = teacher.match
    for side, left, info in (
        ("student", match.student_only, student.info),
        ("teacher", match.teacher_only, teacher.detector.info),
    ):
        if left:
            strides = ", ".join(str(info.strides[level]) for level in left)
            text = f"maps of the {side} '{info.name}' without a partner, by stride: {strides}; they are not imitated."
            emit(events.Log(level="info", message=text, code="levels_unmatched"))


def _try_out(module: imitation.Imitation, student: Detector) -> None:
    width, height = student.image_size
    images = torch.zeros(1, 3, height, width)
    targets = [Target(torch.tensor([[0.0, 0.0, width / 2, height / 2]]), torch.tensor([0]))]
    with torch.no_grad():
        maps = student.eval().features(images)
        module(StudentPass(images, targets, maps, student.heads(maps, targets)))


def _check_region(module: MaskedImitation, bench: Bench) -> dict[str, float]:
    examples = bench.dataset.splits[bench.resolved.spec.dataset.train]
    size = module.teacher.detector.image_size
    boxes = [
        torch.from_numpy(scale_boxes(e.boxes[~e.difficult], (e.width, e.height), size))
        for e in examples[:SAMPLE]
        if (~e.difficult).any()
    ]
    share = float(torch.cat([mask.flatten(1) for mask in module.masks(boxes)], dim=1).float().mean())
    estimator = RegionEstimator(module.teacher.anchors())
    best = torch.cat([row[: len(b)] for row, b in zip(estimator.best_iou(boxes), boxes, strict=True)])
    unreached = float((best < UNREACHED_IOU).float().mean())
    if unreached > UNREACHED_SHARE:
        text = f"{unreached:.0%} of the boxes overlap no anchor by IoU {UNREACHED_IOU} and can hardly be learnt."
        bench.emit(events.Log(level="warning", message=text, code="boxes_unreached"))
    if share > WHOLE_MAP_SHARE and bench.resolved.spec.method.name != "full-feature":
        text = f"the imitation region covers {share:.0%} of the map: full-feature imitation in all but name."
        bench.emit(events.Log(level="warning", message=text, code="region_whole_map"))
    return {"region_share": share, "boxes_unreached": unreached, "best_iou_median": float(best.median())}


def _class_counts(examples: Sequence[Example], classes: int) -> list[int]:
    counts = [0] * classes
    for example in examples:
        for label in example.labels[~example.difficult]:
            counts[int(label)] += 1
    return counts
