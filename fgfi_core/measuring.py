"""A detector out of a file of weights, measured on one split of a data set: from a folder to a folder."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from fgfi_core import data, events
from fgfi_core.atomic import write_text
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.frame import Frame, Resize, Size
from fgfi_core.detectors import Detector, create
from fgfi_core.errors import BadData, BadSpec, Stopped
from fgfi_core.evaluation.detections import ImageDetections, detect_all
from fgfi_core.evaluation.measure import measure
from fgfi_core.evaluation.report import Evaluation
from fgfi_core.results import EvaluationResult
from fgfi_core.spec import recipes
from fgfi_core.spec.evaluation import EvaluationSpec
from fgfi_core.spec.job import Stage
from fgfi_core.training.artifact import artifact
from fgfi_core.training.device import Placement, choose
from fgfi_core.training.initialise import from_file
from fgfi_core.training.pulse import Pulse, WatchedLoader
from fgfi_core.training.task import Emit

EVALUATION, RESULT = "evaluation.json", "result.json"


def evaluate_model(
    spec: EvaluationSpec,
    data_dir: Path,
    out_dir: Path,
    weights: Path,
    on_event: Emit,
    *,
    should_stop: Callable[[], bool],
) -> EvaluationResult:
    """Measure the detector of `weights`, a safetensors file that says what it is of.

    Writes `evaluation.json` (an `Evaluation`) and `result.json`. Events are those of a run, in the stages preflight and
    report. Raises a JobError: BadData, BadSpec, Stopped between two batches when asked to; it then begins anew.
    """
    emit = Pulse(on_event)
    out_dir.mkdir(parents=True, exist_ok=True)
    placement = choose(spec.resources, "auto")
    torch.set_num_threads(placement.threads)
    with _stage("preflight", emit):
        dataset = data.read(data_dir)
        examples = _split(dataset, spec.dataset.split)
        detector, classes = _detector(weights, spec, placement)
        _require_known(classes, dataset.classes)
        resolved = {"spec": spec.model_dump(mode="json"), "classes": dataset.classes, "device": placement.name}
        emit(events.SpecResolved(resolved=resolved))
        spare = [name for name in classes if name not in dataset.classes]
        if spare:
            text = f"the data has no {', '.join(spare)}: what the model finds of it is left out."
            emit(events.Log(level="info", message=text, code="spare_classes"))
    started = time.monotonic()
    with _stage("report", emit) as numbers:
        emit.expect(len(examples))
        found = _detect(detector, examples, spec.batch_size, placement, emit, should_stop)
        evaluation = measure(_as_data(found, classes, dataset.classes), examples, dataset.classes, spec.evaluation)
        numbers["map50"] = evaluation.voc.map50
        result = _result(spec, detector, dataset, evaluation, len(examples), time.monotonic() - started)
        write_text(out_dir / EVALUATION, evaluation.model_dump_json(indent=1))
        emit(artifact(out_dir, EVALUATION, "json", {"map50": evaluation.voc.map50}))
        write_text(out_dir / RESULT, result.model_dump_json(indent=1))
    emit(events.RunFinished(result=result.model_dump(mode="json")))
    return result


def _split(dataset: Dataset, name: str) -> Sequence[Example]:
    if name not in dataset.splits:
        hint = f"Its splits: {', '.join(sorted(dataset.splits))}."
        raise BadSpec(f"dataset.split is '{name}', but the data has no such split.", hint=hint)
    if not dataset.splits[name]:
        raise BadData(f"the split '{name}' has no images.", hint="List at least one image in it.")
    return dataset.splits[name]


def _detector(weights: Path, spec: EvaluationSpec, placement: Placement) -> tuple[Detector, tuple[str, ...]]:
    """The detector that the file says it is of, ready to detect, and its classes in order."""
    try:
        with safe_open(weights, framework="pt") as file:
            facts = file.metadata() or {}
        name, classes = facts["detector"], tuple(map(str, json.loads(facts["classes"])))
        width, height = json.loads(facts["image_size"])
        shapes = tuple((float(w), float(h)) for w, h in json.loads(facts.get("anchor_shapes", "[]")))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        hint = "Give a student that was exported here, or a registered model."
        raise BadData(f"{weights.name} does not say of which detector it is: {error}.", hint=hint) from error
    size = (int(width), int(height))
    detector = create(name, len(classes), size, anchor_shapes=shapes, resize=_resize(spec, facts, name, size))
    from_file(detector, weights, complete=True)
    placement.place(detector)
    return detector.eval(), classes


def _resize(spec: EvaluationSpec, facts: Mapping[str, str], name: str, size: Size) -> Resize:
    """As asked for, else as the file's detector was trained, where it says; else as its family is."""
    told: Mapping[str | None, Resize] = {"stretch": "stretch", "fit": "fit"}
    if spec.resize == "auto" and facts.get("resize") in told:
        return told[facts.get("resize")]
    return recipes.resize(spec.resize, name, size, size)


def _require_known(classes: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in classes]
    if missing:
        raise BadData(
            f"the data has the classes {', '.join(wanted)}, and the model does not know {', '.join(missing)}; it knows "
            f"{', '.join(classes)}.",
            hint="Take a model of these classes.",
        )


def _detect(
    detector: Detector,
    examples: Sequence[Example],
    batch_size: int,
    placement: Placement,
    emit: Pulse,
    should_stop: Callable[[], bool],
) -> list[ImageDetections]:
    def seen(images: int) -> None:
        emit.seen(images)
        if should_stop():
            raise Stopped("stopped between two batches", hint="Nothing was kept: it begins anew.")

    loader = WatchedLoader(examples, Frame(detector.image_size, detector.resize), batch_size, seen)
    return detect_all(detector, loader, autocast=placement.autocast)


def _as_data(found: Sequence[ImageDetections], classes: Sequence[str], wanted: Sequence[str]) -> list[ImageDetections]:
    """Labels as the data counts its classes; what is of no class of the data is left out."""
    number = np.array([wanted.index(name) if name in wanted else -1 for name in classes], np.int64)
    moved = []
    for one in found:
        labels = number[one.labels]
        kept = labels >= 0
        moved.append(replace(one, boxes=one.boxes[kept], scores=one.scores[kept], labels=labels[kept]))
    return moved


def _result(
    spec: EvaluationSpec, detector: Detector, dataset: Dataset, evaluation: Evaluation, images: int, seconds: float
) -> EvaluationResult:
    return EvaluationResult(
        name=spec.name,
        detector=detector.name,
        classes=dataset.classes,
        split=spec.dataset.split,
        images=images,
        map50=evaluation.voc.map50,
        map50_11=evaluation.voc.map50_11,
        ap50={name: one.ap50 for name, one in evaluation.classes.items()},
        coco=evaluation.coco,
        kitti=evaluation.kitti,
        seconds=seconds,
    )


@contextmanager
def _stage(stage: Stage, emit: Emit) -> Iterator[dict[str, float]]:
    started = time.monotonic()
    numbers: dict[str, float] = {}
    emit(events.StageStarted(stage=stage, seed=0))
    yield numbers
    emit(events.StageFinished(stage=stage, seed=0, seconds=time.monotonic() - started, summary=numbers))
