"""The end of a job: the student in its delivered formats, each measured again, and the report."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from fgfi_core import atomic, events, imitation
from fgfi_core import report as reports
from fgfi_core.bundle import collect, record
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import EvalBatch
from fgfi_core.detectors import Detector
from fgfi_core.evaluation.detections import ImageDetections, to_original
from fgfi_core.evaluation.voc import evaluate
from fgfi_core.export import DetectFn, export_all
from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.report import album, features, findings
from fgfi_core.report.card import model_card
from fgfi_core.report.features import FeatureDistances
from fgfi_core.report.gather import gather
from fgfi_core.report.inputs import Region, Run
from fgfi_core.report.measurements import completed, measure_all
from fgfi_core.results import Export, JobResult, Role
from fgfi_core.spec import FineGrained, Imitation, Method
from fgfi_core.training.artifact import artifact
from fgfi_core.training.resolve import SIDES, Side
from fgfi_core.training.trainings import Bench, Finished

PARITY_IMAGES = 16
STUDENT: Side = "student"
MAX_NOTES = 100
EVALUATION, CARD = "evaluation.json", "exports/model_card.md"
# For the distances of maps: images to fit on and to measure on.
FITTED_IMAGES, MEASURED_IMAGES = 24, 12

Facts = dict[str, float | str | bool]


def export_student(bench: Bench, student: Detector) -> tuple[Export, ...]:
    """Write and re-measure every format the spec asks for, and say so; a file that fails parity is called out."""
    folder = bench.out_dir / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    images = first_images(bench.val(STUDENT), PARITY_IMAGES)
    exports = export_all(
        student,
        bench.resolved.classes,
        bench.resolved.spec.exports,
        folder,
        images,
        lambda detect: _map50(bench, detect),
        threads=bench.placement.threads,
    )
    for export in exports:
        facts: Facts = {
            "map50": export.map50,
            "latency_ms": export.latency_ms,
            "parity": export.parity,
            "max_box_difference": export.max_box_difference,
        }
        bench.emit(artifact(bench.out_dir, export.path, export.format, facts))
        if export.format == "safetensors":
            bench.emit(artifact(bench.out_dir, "exports/student.json", "json", {}))
        if not export.parity:
            text = f"{export.path} does not find what the trained student finds: measure it before you deploy it."
            bench.emit(events.Log(level="error", message=text, code="export_parity"))
    return exports


def first_images(loader: Iterable[EvalBatch], most: int) -> Tensor:
    """So many images at most, [N, 3, H, W]; no batch beyond them is read, for a split may be larger than the memory."""
    parts: list[Tensor] = []
    for batch in loader:
        parts.append(batch.images[:most])
        most -= len(parts[-1])
        if not most:
            break
    return torch.cat(parts)


def write_report(bench: Bench, result: JobResult, finished: Sequence[Finished]) -> JobResult:
    """Measure the finished detectors by every rule asked for; write report, model card and bundle, and say where.

    Returns the result with what was measured.
    """
    spec = bench.resolved.spec
    examples = bench.val(STUDENT).examples
    detections: dict[Run, list[ImageDetections]] = {
        (one.role, one.seed): bench.detect(one.detector, "teacher" if one.role == "teacher" else STUDENT)
        for one in finished
    }
    evaluation = measure_all(detections, examples, bench.resolved.classes, spec.evaluation)
    result = completed(result, evaluation)
    _write(bench, EVALUATION, evaluation.model_dump_json(indent=1), "json")
    bundle = _bundle(bench, result, finished)
    regions = _regions(bench, finished[0].detector, spec.method)
    inputs = reports.ReportInputs(
        result=result,
        spec={**spec.model_dump(mode="json"), "anchor_shapes": bench.resolved.anchor_shapes},
        examples=examples,
        detections=detections,
        evaluations={(run.role, run.seed): run.evaluation for run in evaluation.runs},
        history={(one.role, one.seed): one.trained.history for one in finished},
        helped=evaluation.helped,
        regions=_over_images(regions, finished[0].detector.frame),
        distances=_distances(bench, finished, regions or _regions(bench, finished[0].detector, FineGrained())),
        findings=findings.read(bench.out_dir),
        problems=bench.dataset.problems,
        card=model_card(result, bundle),
    )
    _write(bench, album.NAME, gather(inputs).model_dump_json(), "json")
    _write(bench, CARD, inputs.card, "md")
    path = reports.write(inputs, bench.out_dir / "report")
    bench.emit(artifact(bench.out_dir, path.relative_to(bench.out_dir).as_posix(), "html", {}))
    record.write(bundle, bench.out_dir / record.NAME)
    bench.emit(artifact(bench.out_dir, record.NAME, "zip", {"data_sha256": bundle.data.sha256}))
    return result


def _write(bench: Bench, path: str, text: str, format_: str) -> None:
    atomic.write_text(bench.out_dir / path, text)
    bench.emit(artifact(bench.out_dir, path, format_, {}))


def _distances(
    bench: Bench, finished: Sequence[Finished], regions: Callable[[Example], Region] | None
) -> FeatureDistances | None:
    """Of the delivered pair of students; None where nobody imitated.

    regions: the method's, or where it has none those of fine-grained imitation, to tell near objects from elsewhere.
    """
    students = [one for one in finished if one.role == "imitated"]
    if not students or regions is None:
        return None
    imitated = max(students, key=lambda one: one.trained.score.map50)
    pair: dict[Role, Detector] = {
        one.role: one.detector for one in finished if one.role == "plain" and one.seed == imitated.seed
    }
    train, val = (
        bench.dataset.splits[name] for name in (bench.resolved.spec.dataset.train, bench.resolved.spec.dataset.val)
    )
    return features.measure(
        finished[0].detector,
        {**pair, "imitated": imitated.detector},
        _spread(train, FITTED_IMAGES),
        _spread([example for example in val if (~example.difficult).any()], MEASURED_IMAGES),
        regions,
    )


def _spread(examples: Sequence[Example], count: int) -> list[Example]:
    """So many of them, at even distances."""
    return list(examples) if len(examples) <= count else [examples[i * len(examples) // count] for i in range(count)]


def _bundle(bench: Bench, result: JobResult, finished: Sequence[Finished]) -> record.Bundle:
    """What it takes to run the job again."""
    found = findings.read(bench.out_dir)
    notes = [f"{one.severity}: {one.message}" for one in (found.findings if found else ()) if one.severity != "ok"]
    notes += [f"{export.path}: not the trained student's boxes" for export in result.exports if not export.parity]
    notes += [str(problem) for problem in bench.dataset.problems]
    return collect.collect(
        bench.out_dir,
        bench.dataset,
        result,
        threads=bench.placement.threads,
        detectors={side: bench.create(side) for side in SIDES},
        files=bench.weights,
        trained={(one.role, one.seed): one.trained.weights for one in finished},
        notes=notes[:MAX_NOTES],
    )


def _map50(bench: Bench, detect: DetectFn) -> float:
    """mAP at IoU 0.5 of an exported file on the val split."""
    val = bench.val(STUDENT)
    found = [
        to_original(detections, val.frame, example)
        for batch in val
        for detections, example in zip(detect(batch.images), batch.examples, strict=True)
    ]
    return evaluate(found, val.examples, bench.resolved.classes).map50


def _over_images(regions: Callable[[Example], Region] | None, frame: Frame) -> Callable[[Example], Region] | None:
    """Those of the input as those of the image alone, as pictures show them."""
    if regions is None:
        return None
    return lambda example: [frame.over_image(mask, (example.width, example.height)) for mask in regions(example)]


def _regions(bench: Bench, teacher: Detector, method: Method) -> Callable[[Example], Region] | None:
    """The imitated cells of an example on the teacher's grids; None for methods that have no such region."""
    if not isinstance(method, Imitation):
        return None
    module = imitation.create(method, teacher, bench.create(STUDENT))
    if not isinstance(module, MaskedImitation):
        return None

    def region(example: Example) -> Region:
        boxes = example.boxes[~example.difficult]
        resized = teacher.frame.to_input(boxes, (example.width, example.height))
        masks = module.masks([torch.from_numpy(resized).to(bench.placement.device)])
        return [np.asarray(mask[0].cpu()) for mask in masks]

    return region
