"""Teacher, student and method as the job will train them, built for the checks alone, and images to try them on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fgfi_core import imitation
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import Batch, TrainLoader
from fgfi_core.detectors import Detector
from fgfi_core.spec import Augmentation
from fgfi_core.spec.methods import Imitation as Method
from fgfi_core.training.resolve import Side
from fgfi_core.training.task import Imitate
from fgfi_core.training.trainings import Bench, initialise

SAMPLE = 256  # images whose boxes are looked at
PLAIN = Augmentation(flip=False, photometric=False, shift=False)


@dataclass(frozen=True)
class Pair:
    """On the job's device. `imitate` holds the method between the two."""

    teacher: Detector
    student: Detector
    imitate: Imitate


def build(bench: Bench, method: Method, trained: Detector | None = None) -> Pair:
    """trained: the teacher; else a fresh one stands for it. Raises BadSpec for a pair that the method cannot serve."""
    teacher = trained if trained is not None else fresh(bench, "teacher")
    bench.placement.place(teacher)
    student = fresh(bench, "student", teacher)
    bench.placement.place(student)
    module = imitation.create(method, teacher, student)
    bench.placement.place(module)
    return Pair(teacher, student, Imitate(module, method))


def fresh(bench: Bench, side: Side, teacher: Detector | None = None) -> Detector:
    """A detector with the first weights that the spec asks for."""
    detector = bench.create(side)
    initialise(bench, detector, side, teacher)
    return detector


def batch(bench: Bench, side: Side, size: int) -> Batch:
    """The first training images with boxes, at most so many, without augmentation, at the side's input size."""
    examples = [example for example in _train(bench) if (~example.difficult).any()][:size]
    with TrainLoader(examples or _train(bench)[:1], bench.resolved.frame(side), size, PLAIN, seed=0) as loader:
        return next(iter(loader.batches(0)))


def sampled_boxes(bench: Bench, frame: Frame) -> list[Tensor]:
    """Boxes [G, 4] of training images that have any, xyxy pixels of an input, on the job's device."""
    return [
        torch.from_numpy(frame.to_input(e.boxes[~e.difficult], (e.width, e.height))).to(bench.placement.device)
        for e in _train(bench)[:SAMPLE]
        if (~e.difficult).any()
    ]


def _train(bench: Bench) -> Sequence[Example]:
    return bench.dataset.splits[bench.resolved.spec.dataset.train]
