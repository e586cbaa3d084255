"""From a spec with `auto` in it to one that says everything: what was resolved is stored and decides a rerun."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.transforms import scale_boxes
from fgfi_core.detectors import num_anchor_shapes
from fgfi_core.detectors.anchors import kmeans_shapes
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.spec import DETECTORS, JobSpec
from fgfi_core.training.device import Placement

FILE = "resolved.json"
ANCHOR_SEED = 0
# Learning rates at these batch sizes, the first by the paper, the second by experiment (docs/results.md). They go with
# the square root of the batch size, the careful one of the two usual rules.
RECIPES: Mapping[str, tuple[float, int]] = {"shuffledet": (0.02, 32), "ssd-shufflenetv2": (0.2, 8)}
BATCH_SIZE = {"cpu": 8, "cuda": 32}


class ResolvedSpec(BaseModel):
    """A spec without `auto`, and what the data decided.

    anchor_shapes: per detector name, (width, height) in pixels of the resized input. device: what computes, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    spec: JobSpec
    classes: tuple[str, ...]
    anchor_shapes: dict[str, tuple[tuple[float, float], ...]]
    device: str


def resolve(spec: JobSpec, dataset: Dataset, placement: Placement) -> ResolvedSpec:
    """Choose batch size, learning rate and anchors. Raises BadSpec for a split that the data does not have."""
    for role, name in (("train", spec.dataset.train), ("val", spec.dataset.val)):
        if name not in dataset.splits:
            raise BadSpec(
                f"dataset.{role} is '{name}', but the data has no such split.",
                hint=f"Its splits: {', '.join(sorted(dataset.splits))}.",
            )
        if not dataset.splits[name]:
            raise BadData(f"the split '{name}' has no images.", hint="List at least one image in it.")
    train = dataset.splits[spec.dataset.train]
    asked = spec.schedule.batch_size
    batch_size = min(BATCH_SIZE[placement.device.type], len(train)) if asked == "auto" else asked
    learning_rate = spec.schedule.learning_rate
    if learning_rate == "auto":
        rate, at = RECIPES[DETECTORS[spec.student.detector].family]
        learning_rate = rate * math.sqrt(batch_size / at)
    schedule = spec.schedule.model_copy(
        update={"batch_size": batch_size, "learning_rate": learning_rate, "precision": placement.precision}
    )
    names = dict.fromkeys((spec.teacher.detector, spec.student.detector))
    shapes = {name: _anchor_shapes(name, train, spec.schedule.image_size) for name in names}
    return ResolvedSpec(
        spec=spec.model_copy(update={"schedule": schedule}),
        classes=dataset.classes,
        anchor_shapes=shapes,
        device=placement.name,
    )


def settle(resolved: ResolvedSpec, asked: JobSpec, out_dir: Path) -> ResolvedSpec:
    """Keep the first resolution of a run folder: a continued run must be the run it continues, on whatever device.

    Raises BadSpec when the folder holds a run of another spec.
    """
    path = out_dir / FILE
    record = {"asked": asked.model_dump(mode="json"), "resolved": resolved.model_dump(mode="json")}
    if not path.exists():
        out_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")
        return resolved
    held = json.loads(path.read_text(encoding="utf-8"))
    if held["asked"] != record["asked"]:
        changed = sorted(key for key in record["asked"] if held["asked"].get(key) != record["asked"][key])
        raise BadSpec(
            f"the folder {out_dir} holds a run of another spec (different: {', '.join(changed)}).",
            hint="Give another --out folder, or the spec that the run was begun with.",
        )
    return ResolvedSpec.model_validate({**held["resolved"], "device": resolved.device})


def _anchor_shapes(
    name: str, examples: Sequence[Example], image_size: tuple[int, int]
) -> tuple[tuple[float, float], ...]:
    sizes = np.concatenate([_resized_sizes(example, image_size) for example in examples])
    if not len(sizes):
        raise BadData("the training split has no box at all.", hint="Check the annotations and the split's list.")
    shapes = kmeans_shapes(sizes, num_anchor_shapes(name), ANCHOR_SEED)
    return tuple((round(float(w), 2), round(float(h), 2)) for w, h in shapes)


def _resized_sizes(example: Example, image_size: tuple[int, int]) -> NDArray[np.float32]:
    boxes = scale_boxes(example.boxes[~example.difficult], (example.width, example.height), image_size)
    return boxes[:, 2:] - boxes[:, :2]
