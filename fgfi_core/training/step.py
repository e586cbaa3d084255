"""One step of the optimiser: forward, backward, clip, update; in several micro-batches where memory is short."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from fgfi_core.data.loader import Batch, to_device
from fgfi_core.imitation import StudentPass
from fgfi_core.training.balances import Balances
from fgfi_core.training.gradients import average_gradients, averaged
from fgfi_core.training.optimizer import optimizer
from fgfi_core.training.task import Learner
from fgfi_core.training.unlabelled import imitation_alone


class Step:
    """The step of one learner, with its optimiser and the weights of its imitation. Places the learner.

    A batch larger than the schedule's micro-batch is taken in parts of nearly equal size whose gradients add up before
    the one update. Each part's loss counts by its share of the images. What is normalised over the images of one pass
    stays so, and differs from the whole batch's: statistics of batch norms, N_p of the imitation loss, the number of
    positives of detection losses. Automatic weights of imitation are measured on the first part.

    Where several processes train together, each calls this with its part of the batch, and all learn the same.

    Images without labels are passes of their own. In the imitation loss each image of a step counts alike, labelled or
    not; the detection loss is what it is without them.
    """

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        imitate = learner.imitate
        learner.placement.place(learner.detector)
        if imitate is not None:
            learner.placement.place(imitate.module)
        self.optimizer = optimizer(learner)
        self.balances = Balances(imitate.method if imitate is not None else None)

    def __call__(self, batch: Batch, step: int, rate: float) -> dict[str, Tensor]:
        """Learn from a batch on the CPU; returns the step's scalars, detached, still on the device.

        step: counted from 0 over the training. rate: the schedule's learning rate now. `loss` is the detection loss
        alone, so that plain and imitating student can be drawn in one chart.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        whole = to_device(batch, self.learner.placement.device, memory_format=torch.channels_last)
        unlabelled = self._unlabelled(step)
        labelled_share = 1.0
        if unlabelled is not None:
            labelled_share = len(whole.targets) / (len(whole.targets) + len(unlabelled.targets))
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for number, part in enumerate(self._parts(whole)):
            loss, values = self._forward(part, step, labelled_share, measure=number == 0)
            _learn(loss, values, len(part.targets) / len(whole.targets), sums)
        if unlabelled is not None:
            for part in self._parts(unlabelled):
                loss, values = self._imitate(part, 1 - labelled_share)
                _learn(loss, values, len(part.targets) / len(unlabelled.targets), sums)
        average_gradients(self._learning())
        sums = averaged(sums)
        sums["grad_norm"] = self._clip()
        self.optimizer.step()
        return sums

    def _unlabelled(self, step: int) -> Batch | None:
        """Images without labels, once the imitation has begun and has a weight."""
        imitate = self.learner.imitate
        if imitate is None or imitate.unlabelled is None or step < imitate.method.start_step:
            return None
        if not self.balances.weights():
            return None
        return imitate.unlabelled.batch(step, imitate.module, self.learner.placement)

    def _parts(self, batch: Batch) -> Iterator[Batch]:
        count, most = len(batch.targets), self.learner.schedule.micro_batch
        if most == "auto" or count <= most:
            yield batch
            return
        size = math.ceil(count / math.ceil(count / most))
        for first in range(0, count, size):
            yield Batch(batch.images[first : first + size], batch.targets[first : first + size])

    def _forward(
        self, batch: Batch, step: int, imitation_share: float, *, measure: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to minimise, and its terms. measure: automatic weights may be measured here.

        imitation_share: what the imitation loss counts beside that of images without labels.
        """
        model, imitate = self.learner.detector, self.learner.imitate
        images, targets = batch
        with self.learner.placement.autocast():
            maps = model.features(images)
            outputs = model.heads(maps, targets)
            terms = model.losses(outputs, targets)
            detection = loss = torch.stack(list(terms.values())).sum()
            if imitate is not None and step >= imitate.method.start_step:
                added = imitate.module(StudentPass(images, targets, maps, outputs))
                if measure:
                    self.balances.measure(detection, added, imitate.module.teacher.matched_student(maps))
                weights = self.balances.weights()
                # A term whose weight is still to be measured counts nothing.
                weighted = torch.stack([weights.get(name, 0.0) * term for name, term in added.items()]).sum()
                loss = detection + (weighted if imitation_share == 1 else imitation_share * weighted)
                terms = {**terms, **added}
        return loss, {"loss": detection, **{f"loss/{name}": term for name, term in terms.items()}}

    def _imitate(self, batch: Batch, share: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its terms of images without labels."""
        imitate = self.learner.imitate
        if imitate is None:
            raise ValueError("there is nobody to imitate")
        with self.learner.placement.autocast():
            loss, terms = imitation_alone(self.learner.detector, imitate.module, batch, self.balances.weights())
        boxes = torch.tensor(sum(len(target.boxes) for target in batch.targets) / len(batch.targets))
        return share * loss, {**terms, "unlabelled/boxes": boxes}

    def _learning(self) -> Iterator[nn.Parameter]:
        yield from self.learner.detector.parameters()
        if self.learner.imitate is not None:
            yield from self.learner.imitate.module.parameters()

    def _clip(self) -> Tensor:
        """Clip the detector's gradient, and the adapters' by themselves; returns the detector's norm before.

        In one norm the adapters' gradient, which is the larger by far, would shrink the student's step as it never is
        in the plain training: the two schedules would not be the same.
        """
        limit = self.learner.schedule.clip_norm or math.inf
        adapters = [] if self.learner.imitate is None else list(self.learner.imitate.module.parameters())
        if adapters:
            nn.utils.clip_grad_norm_(adapters, limit)
        return nn.utils.clip_grad_norm_(self.learner.detector.parameters(), limit)


def _learn(loss: Tensor, values: dict[str, Tensor], share: float, sums: dict[str, Tensor]) -> None:
    """Add one part's gradients, and its scalars to the step's. share: of the step's images of its kind."""
    if share < 1:
        loss, values = loss * share, {name: value * share for name, value in values.items()}
    torch.autograd.backward(loss)
    for name, value in values.items():
        sums[name] = sums[name] + value.detach() if name in sums else value.detach()
