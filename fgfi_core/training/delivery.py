"""The end of a job: the student in its delivered formats, each measured again, and the report."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from fgfi_core import events, imitation
from fgfi_core import report as reports
from fgfi_core.bundle import collect, record
from fgfi_core.data.dataset import Example
from fgfi_core.data.transforms import scale_boxes
from fgfi_core.detectors import Detector
from fgfi_core.evaluation.detections import to_original
from fgfi_core.evaluation.voc import evaluate
from fgfi_core.export import DetectFn, export_all
from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.report.inputs import Region
from fgfi_core.results import Export, JobResult
from fgfi_core.spec import Imitation, Method
from fgfi_core.training.resolve import SIDES, Side
from fgfi_core.training.trainings import Bench, Finished

PARITY_IMAGES = 16
STUDENT: Side = "student"
MEDIA_TYPES = {
    ".onnx": "application/octet-stream",
    ".json": "application/json",
    ".html": "text/html",
    ".md": "text/markdown",
    ".zip": "application/zip",
}
MAX_NOTES = 100

Facts = dict[str, float | str | bool]


def export_student(bench: Bench, student: Detector) -> tuple[Export, ...]:
    """Write and re-measure every format the spec asks for, and say so; a file that fails parity is called out."""
    folder = bench.out_dir / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    images = torch.cat([batch.images for batch in bench.val(STUDENT)])[:PARITY_IMAGES]
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
        bench.emit(_artifact(bench.out_dir, export.path, export.format, facts))
        if export.format == "safetensors":
            bench.emit(_artifact(bench.out_dir, "exports/student.json", "json", {}))
        if not export.parity:
            text = f"{export.path} does not find what the trained student finds: measure it before you deploy it."
            bench.emit(events.Log(level="error", message=text, code="export_parity"))
    return exports


def write_report(bench: Bench, result: JobResult, finished: Sequence[Finished]) -> None:
    """Write the report from the finished detectors and say where it is."""
    spec = bench.resolved.spec
    path = reports.write(
        reports.ReportInputs(
            result=result,
            spec={**spec.model_dump(mode="json"), "anchor_shapes": bench.resolved.anchor_shapes},
            examples=bench.val(STUDENT).examples,
            detections={
                (one.role, one.seed): bench.detect(one.detector, "teacher" if one.role == "teacher" else STUDENT)
                for one in finished
            },
            history={(one.role, one.seed): one.trained.history for one in finished},
            regions=_regions(bench, finished[0].detector, spec.method),
            problems=bench.dataset.problems,
        ),
        bench.out_dir / "report",
    )
    bench.emit(_artifact(bench.out_dir, path.relative_to(bench.out_dir).as_posix(), "html", {}))
    _write_bundle(bench, result, finished)


def _write_bundle(bench: Bench, result: JobResult, finished: Sequence[Finished]) -> None:
    """Write what it takes to run the job again, and say where it is."""
    notes = [str(problem) for problem in bench.dataset.problems]
    notes += [f"{export.path}: not the trained student's boxes" for export in result.exports if not export.parity]
    bundle = collect.collect(
        bench.out_dir,
        bench.dataset,
        result,
        threads=bench.placement.threads,
        detectors={side: bench.create(side) for side in SIDES},
        files=bench.weights,
        trained={(one.role, one.seed): one.trained.weights for one in finished},
        notes=notes[:MAX_NOTES],
    )
    record.write(bundle, bench.out_dir / record.NAME)
    bench.emit(_artifact(bench.out_dir, record.NAME, "zip", {"data_sha256": bundle.data.sha256}))


def _map50(bench: Bench, detect: DetectFn) -> float:
    """mAP at IoU 0.5 of an exported file on the val split."""
    val = bench.val(STUDENT)
    found = [
        to_original(detections, val.image_size, example)
        for batch in val
        for detections, example in zip(detect(batch.images), batch.examples, strict=True)
    ]
    return evaluate(found, val.examples, bench.resolved.classes).map50


def _regions(bench: Bench, teacher: Detector, method: Method) -> Callable[[Example], Region] | None:
    """The imitated cells of an example on the teacher's grids; None for methods that have no such region."""
    if not isinstance(method, Imitation):
        return None
    module = imitation.create(method, teacher, bench.create(STUDENT))
    if not isinstance(module, MaskedImitation):
        return None

    def region(example: Example) -> Region:
        boxes = example.boxes[~example.difficult]
        resized = scale_boxes(boxes, (example.width, example.height), teacher.image_size)
        masks = module.masks([torch.from_numpy(resized).to(bench.placement.device)])
        return [np.asarray(mask[0].cpu()) for mask in masks]

    return region


def _artifact(out_dir: Path, path: str, format_: str, facts: Facts) -> events.ArtifactWritten:
    content = (out_dir / path).read_bytes()
    return events.ArtifactWritten(
        name=Path(path).name,
        format=format_,
        path=path,
        media_type=MEDIA_TYPES.get(Path(path).suffix, "application/octet-stream"),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        facts=facts,
    )
