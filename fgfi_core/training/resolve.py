"""From a spec with `auto` in it to one that says everything: what was resolved is stored and decides a rerun."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fgfi_core.atomic import write_text
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.frame import Frame
from fgfi_core.detectors import num_anchor_shapes
from fgfi_core.detectors.anchors import kmeans_shapes, scale_shapes
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.export import safetensors
from fgfi_core.spec import JobSpec, recipes
from fgfi_core.training.device import Placement
from fgfi_core.training.versions import written_by_this_version

FILE = "resolved.json"
ANCHOR_SEED = 0

Side = Literal["teacher", "student"]
SIDES: tuple[Side, ...] = ("teacher", "student")
# Files of first weights, for the sides whose `init` is `file`.
Weights = Mapping[Side, Path]
NO_WEIGHTS: Weights = MappingProxyType({})


class ResolvedSpec(BaseModel):
    """A spec without `auto`, and what the data decided.

    anchor_shapes: of teacher and student, (width, height) in pixels of its input; none where the detector's scales are
    its family's own. device: what computes, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    spec: JobSpec
    classes: tuple[str, ...]
    anchor_shapes: dict[Side, tuple[tuple[float, float], ...]]
    device: str

    def detector(self, side: Side) -> str:
        """The detector's name."""
        return self.spec.teacher.detector if side == "teacher" else self.spec.student.detector

    def image_size(self, side: Side) -> tuple[int, int]:
        """(width, height) of its input."""
        return self.frame(side).size

    def frame(self, side: Side) -> Frame:
        """Its input: of the schedule's size, unless the teacher has one of its own."""
        return frame(self.spec, side)


def frame(spec: JobSpec, side: Side) -> Frame:
    """A side's input, of a resolved spec; one that was resolved when there was no choice says `auto`, and stretches."""
    size = (spec.teacher.image_size if side == "teacher" else None) or spec.schedule.image_size
    return Frame(size, "fit" if spec.schedule.resize == "fit" else "stretch")


def resolve(spec: JobSpec, dataset: Dataset, placement: Placement, weights: Weights = NO_WEIGHTS) -> ResolvedSpec:
    """Choose batch size, learning rate and anchors; the micro-batch is measured later and may still be `auto`.

    Raises BadSpec for a split that the data does not have, or a file of weights that the spec needs and nobody gave.
    """
    _check_files(spec, weights)
    named = (("train", spec.dataset.train), ("val", spec.dataset.val), ("unlabelled", spec.dataset.unlabelled))
    for role, name in named:
        if name is None:
            continue
        if name not in dataset.splits:
            raise BadSpec(
                f"dataset.{role} is '{name}', but the data has no such split.",
                hint=f"Its splits: {', '.join(sorted(dataset.splits))}.",
            )
        if not dataset.splits[name]:
            raise BadData(f"the split '{name}' has no images.", hint="List at least one image in it.")
    train = dataset.splits[spec.dataset.train]
    asked = spec.schedule
    batch_size = recipes.batch_size(asked.batch_size, placement.device.type, len(train), spec.resources.count)
    for name in (spec.dataset.train, spec.dataset.unlabelled):
        if name is not None:
            _check_parts(name, min(batch_size, len(dataset.splits[name])), spec.resources.count)
    learning_rate = recipes.learning_rate(asked.learning_rate, spec.student.detector, asked.optimizer, batch_size)
    teachers = spec.teacher.image_size or asked.image_size
    update: dict[str, Any] = {
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "precision": placement.precision,
        "resize": recipes.resize(asked.resize, spec.student.detector, asked.image_size, teachers),
    }
    if asked.micro_batch != "auto":
        update["micro_batch"] = min(asked.micro_batch, batch_size)
    spec = spec.model_copy(update={"schedule": asked.model_copy(update=update)})
    shapes = {side: _anchor_shapes(spec, side, train, weights.get(side)) for side in SIDES}
    return ResolvedSpec(
        spec=spec,
        classes=dataset.classes,
        anchor_shapes=shapes,
        device=placement.name,
    )


def _check_parts(split: str, images: int, processes: int) -> None:
    """A batch of a split, which a small one may cut short, in as many equal parts."""
    if images % processes:
        raise BadSpec(
            f"resources.count is {processes}, and a batch of the split '{split}' is of {images} images, which have no "
            f"{processes} equal parts.",
            hint="Use fewer, or a schedule.batch_size that is a multiple of them and no larger than the split.",
        )


def settle(resolved: ResolvedSpec, asked: JobSpec, out_dir: Path) -> ResolvedSpec:
    """Keep the first resolution of a run folder: a continued run must be the run it continues, on whatever device.

    What only the pre-flight reads may change between the two, so that a run it refused can go on; and the micro-batch,
    so that one that ran out of memory can: a number that is asked for is taken, with `auto` the one held stays.
    Raises BadSpec when the folder holds a run of another spec, BadData when it holds one of another version.
    """
    held = _held(out_dir)
    if held is None:
        return resolved
    with written_by_this_version(out_dir / FILE):
        before = JobSpec.model_validate(held["asked"])
        kept = ResolvedSpec.model_validate({**held["resolved"], "device": resolved.device})
    changed = _changed(before, asked)
    if changed:
        raise BadSpec(
            f"the folder {out_dir} holds a run of another spec (different: {', '.join(changed)}).",
            hint="Give another --out folder, or the spec that the run was begun with.",
        )
    kept = kept.model_copy(update={"spec": kept.spec.model_copy(update={"preflight": asked.preflight})})
    wanted = asked.schedule.micro_batch
    return kept if wanted == "auto" else with_micro_batch(kept, min(wanted, int(kept.spec.schedule.batch_size)))


def keep(resolved: ResolvedSpec, asked: JobSpec, out_dir: Path) -> None:
    """Write down what was resolved; of a folder that says it already, only with how many images at once it goes on."""
    held = _held(out_dir)
    if held is None:
        held = {"asked": asked.model_dump(mode="json"), "resolved": resolved.model_dump(mode="json")}
    else:
        schedule = held["resolved"]["spec"]["schedule"]
        if schedule.get("micro_batch") == resolved.spec.schedule.micro_batch:
            return
        schedule["micro_batch"] = resolved.spec.schedule.micro_batch
    write_text(out_dir / FILE, json.dumps(held, indent=1))


def with_micro_batch(resolved: ResolvedSpec, micro_batch: int) -> ResolvedSpec:
    """The same with this many images in one pass."""
    schedule = resolved.spec.schedule.model_copy(update={"micro_batch": micro_batch})
    return resolved.model_copy(update={"spec": resolved.spec.model_copy(update={"schedule": schedule})})


def _held(out_dir: Path) -> dict[str, Any] | None:
    """What an earlier call wrote down; None before the first."""
    path = out_dir / FILE
    if not path.exists():
        return None
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadData(
            f"{path}, which says how the run was begun, is damaged: {error}.",
            hint="Restore the file, or begin anew in another --out folder.",
        ) from error
    return held


def _changed(before: JobSpec, asked: JobSpec) -> list[str]:
    """The fields in which a spec differs from the one that its folder was begun with, where they must not."""
    schedule = asked.schedule.model_copy(update={"micro_batch": before.schedule.micro_batch})
    alike = asked.model_copy(update={"schedule": schedule, "preflight": before.preflight})
    return sorted(name for name in JobSpec.model_fields if getattr(before, name) != getattr(alike, name))


def _check_files(spec: JobSpec, weights: Weights) -> None:
    """A file for each side that begins with one, and no other."""
    for side, part in (("teacher", spec.teacher), ("student", spec.student)):
        if not part.detector:
            raise BadSpec(
                f"{side}.model is '{part.model}', which only the service can look up.",
                hint=f"Name its {side}.detector, and give its file: --{side}-weights FILE.",
            )
        if part.init == "file" and side not in weights:
            raise BadSpec(f"{side}.init is 'file', but no file was given.", hint=f"Give one: --{side}-weights FILE.")
        if part.init != "file" and side in weights:
            raise BadSpec(f"a file was given for the {side}, but {side}.init is '{part.init}'.", hint="Set it to file.")


def _anchor_shapes(
    spec: JobSpec, side: Side, examples: Sequence[Example], file: Path | None
) -> tuple[tuple[float, float], ...]:
    """The file's own where there is one, for its weights belong to them; else fitted to the training boxes."""
    name = spec.teacher.detector if side == "teacher" else spec.student.detector
    own = frame(spec, side)
    if not num_anchor_shapes(name):
        return ()
    held = None if file is None else safetensors.anchor_shapes(file)
    if held is not None:
        return scale_shapes(held.shapes, held.image_size, own.size)
    if spec.schedule.anchors == "recipe":
        return ()
    sizes = np.concatenate([_resized_sizes(example, own) for example in examples])
    if not len(sizes):
        raise BadData("the training split has no box at all.", hint="Check the annotations and the split's list.")
    shapes = kmeans_shapes(sizes, num_anchor_shapes(name), ANCHOR_SEED)
    return tuple((round(float(w), 2), round(float(h), 2)) for w, h in shapes)


def _resized_sizes(example: Example, own: Frame) -> NDArray[np.float32]:
    boxes = own.to_input(example.boxes[~example.difficult], (example.width, example.height))
    return boxes[:, 2:] - boxes[:, :2]
