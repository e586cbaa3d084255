"""Can every pair be distilled? A few hundred steps of teacher and student on real images at their true size.

    python -m bench.pairs --voc path/to/voc --kitti path/to/kitti [--only NAME...] [--steps 200]

The teacher is trained first, then the student imitates it; the detection loss and the imitation loss at the beginning
and the end say whether both fall. Writes docs/results/pairs.json as it goes, as `bench.overfit` does.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from bench.trial import Trial
from fgfi_core import data
from fgfi_core.environment import training_environment
from fgfi_core.imitation import match_levels
from fgfi_core.spec import DETECTORS, Augmentation, FineGrained
from fgfi_core.training.task import Point

RESULTS = Path(__file__).parent.parent / "docs" / "results" / "pairs.json"
SHARE = 0.2  # of the points at either end of a curve, averaged
# The recipes' rates are for weights from ImageNet, which are not at hand; from scratch AdamW falls within so few steps.
LEARNING_RATE = 3e-4
TEACHER_SHARE = 0.3  # of the steps: a teacher that has begun to learn is enough to be imitated
MEASURED = 2  # images that the loop's evaluation has to run on; after so few steps it says nothing
FLIP = Augmentation(flip=True, photometric=False, shift=False)


class Pair(NamedTuple):
    """teacher_size: (width, height) in pixels of the teacher's own input, where it has one."""

    teacher: str
    student: str
    data: str
    image_size: tuple[int, int]
    batch: int
    teacher_size: tuple[int, int] | None = None
    why: str = "paper"


VOC, KITTI = (500, 375), (1248, 384)
PAIRS = {
    "toy": Pair("shuffledet-1x", "shuffledet-0.25x", "kitti", KITTI, 2),
    "r101-half": Pair("faster-rcnn-resnet101", "faster-rcnn-resnet101-half", "voc", VOC, 1),
    "r101-r50": Pair("faster-rcnn-resnet101", "faster-rcnn-resnet50", "voc", VOC, 1),
    "vgg": Pair("faster-rcnn-vgg16", "faster-rcnn-vgg11", "voc", VOC, 1),
    "fpn": Pair("faster-rcnn-resnet50-fpn", "faster-rcnn-resnet50-half-fpn", "voc", VOC, 1),
    "two-to-one-stage": Pair(
        "faster-rcnn-resnet50-fpn", "retinanet-resnet18-fpn", "voc", VOC, 2, why="two-stage to one-stage"
    ),
    "anchors-to-points": Pair("retinanet-resnet50-fpn", "fcos-resnet18-fpn", "voc", VOC, 2, why="anchors to points"),
    "fpn-to-one-level": Pair(
        "faster-rcnn-resnet18-fpn", "ssd-shufflenetv2-1x", "kitti", KITTI, 2, why="FPN to a single level"
    ),
    "own-size": Pair(
        "ssd-shufflenetv2-1x", "ssd-shufflenetv2-0.25x", "kitti", (832, 256), 4, KITTI, "another input size"
    ),
}


def distil(name: str, pair: Pair, folder: Path, steps: int) -> dict[str, Any]:
    """Train both and say where their losses began and ended."""
    dataset = data.read(folder)
    train = [example for example in dataset.splits["train"] if (~example.difficult).any()]
    trial = Trial(
        train,
        dataset.classes,
        pair.image_size,
        pair.batch,
        steps,
        LEARNING_RATE,
        FLIP,
        measured=train[:MEASURED],
        precision="bf16",
        optimizer="adamw",
    )
    teacher = trial.create(pair.teacher, pair.teacher_size)
    taught, _ = replace(trial, steps=round(TEACHER_SHARE * steps)).train(teacher)
    trained, _ = trial.train(trial.create(pair.student), FineGrained(), teacher)
    own, theirs = DETECTORS[pair.student], DETECTORS[pair.teacher]
    width = (pair.teacher_size or pair.image_size)[0]
    match = match_levels([s / pair.image_size[0] for s in own.strides], [s / width for s in theirs.strides])
    return {
        "pair": name,
        "why": pair.why,
        "teacher": pair.teacher,
        "student": pair.student,
        "data": f"{pair.data} {pair.image_size[0]}x{pair.image_size[1]}",
        "steps": [taught.steps, trained.steps],
        "levels": f"{len(match.pairs)} of {len(own.strides)} / {len(theirs.strides)}",
        "teacher_loss": _ends(taught.history, "loss"),
        "loss": _ends(trained.history, "loss"),
        "imitation": _ends(trained.history, "loss/imitation"),
        "weight": round(trained.imitation_weights["imitation"], 4),
        "seconds": [round(taught.seconds), round(trained.seconds)],
    }


def _ends(history: Sequence[Point], name: str) -> list[float]:
    """Mean over the first and the last points of a curve."""
    values = [point[2][name] for point in history if name in point[2]]
    count = max(1, round(SHARE * len(values)))
    return [round(statistics.fmean(part), 4) for part in (values[:count], values[-count:])]


def main() -> None:
    """Train what is not trained yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voc", type=Path, required=True)
    parser.add_argument("--kitti", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    folders = {"voc": options.voc, "kitti": options.kitti}
    for name in options.only or PAIRS:
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        if not options.only and any(row["pair"] == name for row in rows):
            continue
        pair = PAIRS[name]
        row = distil(name, pair, folders[pair.data], options.steps)
        print(row, flush=True)
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        kept = {one["pair"]: one for one in rows} | {name: row}
        RESULTS.write_text(json.dumps([kept[known] for known in PAIRS if known in kept], indent=1) + "\n")


if __name__ == "__main__":
    # The allocator must be there before the process starts.
    wanted = training_environment()
    if wanted.keys() - os.environ.keys():
        os.execve(sys.executable, [sys.executable, "-m", "bench.pairs", *sys.argv[1:]], {**os.environ, **wanted})  # noqa: S606 - this script
    main()
