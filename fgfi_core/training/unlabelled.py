"""Images without labels beside a step's labelled ones: they carry imitation alone, near what the teacher is sure of."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from fgfi_core.data.loader import Batch, TrainLoader, to_device
from fgfi_core.detectors.detector import Detector, Outputs
from fgfi_core.imitation import Imitation, StudentPass
from fgfi_core.training.device import Placement


class Unlabelled:
    """The images of one training, a batch a step.

    loader: of images whose boxes nobody reads. least_score: of a teacher's detection that stands in for a box.
    Which images a step sees is a function of the loader's seed and the step, so a resumed training sees the same.
    """

    def __init__(self, loader: TrainLoader, least_score: float) -> None:
        self._loader = loader
        self._least_score = least_score
        self._open: Iterator[Batch] = iter(())
        self._next: int | None = None

    def batch(self, step: int, module: Imitation, placement: Placement) -> Batch:
        """The images of a step, counted from 0, on the device; their boxes are those that the teacher is sure of."""
        epoch, number = divmod(step, len(self._loader))
        if step != self._next or number == 0:
            self._open = self._loader.batches(epoch, start=number)
        self._next = step + 1
        images = to_device(next(self._open), placement.device, memory_format=torch.channels_last).images
        with placement.autocast():
            return Batch(images, module.teacher.confident(images, self._least_score))


def imitation_alone(
    student: Detector, module: Imitation, batch: Batch, weights: Mapping[str, float]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted imitation loss of a batch without labels, and its terms."""
    images, targets = batch
    maps = student.features(images)
    outputs: Outputs = student.heads(maps, targets) if module.reads_outputs else {}
    terms = module(StudentPass(images, targets, maps, outputs))
    loss = torch.stack([weights.get(name, 0.0) * term for name, term in terms.items()]).sum()
    return loss, {f"loss/{name}/unlabelled": term for name, term in terms.items()}
