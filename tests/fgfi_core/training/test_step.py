"""A batch in parts: the gradients add up to the whole batch's where nothing is normalised over the batch."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from fgfi_core import imitation
from fgfi_core.data.loader import Batch
from fgfi_core.detectors import Detector, Target, create
from fgfi_core.spec import FineGrained, Resources, Schedule
from fgfi_core.training.device import Placement, choose
from fgfi_core.training.step import Step
from fgfi_core.training.task import Imitate

SIZE = (64, 64)


@dataclass(frozen=True)
class Pupil:
    detector: Detector
    schedule: Schedule
    placement: Placement
    imitate: Imitate
    bias_factor: float = 1.0


MakeStep = Callable[..., Step]


@pytest.fixture
def make_step() -> MakeStep:
    """Of an imitating student whose norms do not see the batch; the same weights every time."""

    def make(micro_batch: int | str, *, weight: float | str = 1.0) -> Step:
        torch.manual_seed(0)
        teacher, student = (create(f"ssd-shufflenetv2-{width}x", 1, SIZE) for width in ("0.5", "0.25"))
        for norm in student.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.eval()
        method = FineGrained.model_validate({"weight": weight, "balance_steps": 2})
        imitate = Imitate(imitation.create(method, teacher, student), method)
        schedule = Schedule.model_validate({"batch_size": 6, "micro_batch": micro_batch, "clip_norm": None})
        return Step(Pupil(student, schedule, choose(Resources(device="cpu", threads=1), "fp32"), imitate))

    return make


def batch(count: int = 6, *, alike: bool = True) -> Batch:
    """Images with one box each, at one place: each part then has N_p and positives in proportion to its images."""
    images = torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    boxes = [torch.tensor([[10.0, 12.0, 40.0 + (0 if alike else i), 50.0]]) for i in range(count)]
    return Batch(images, [Target(box, torch.tensor([0])) for box in boxes])


def gradients(step: Step) -> list[torch.Tensor]:
    parameters = [*step.learner.detector.parameters()]
    assert step.learner.imitate is not None
    parameters += step.learner.imitate.module.parameters()
    return [parameter.grad.clone() for parameter in parameters if parameter.grad is not None]


@pytest.mark.parametrize("micro_batch", [1, 3, 4])
def test_the_gradients_of_the_parts_add_up_to_the_whole_batchs(make_step: MakeStep, micro_batch: int) -> None:
    whole, parts = make_step("auto"), make_step(micro_batch)
    values, summed = whole(batch(), 0, 0.0), parts(batch(), 0, 0.0)
    for one, other in zip(gradients(whole), gradients(parts), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
    assert {name: float(value) for name, value in summed.items()} == pytest.approx(
        {name: float(value) for name, value in values.items()}, rel=1e-4
    )


def test_a_part_as_large_as_the_batch_is_the_batch_bit_for_bit(make_step: MakeStep) -> None:
    whole, part = make_step("auto"), make_step(6)
    whole(batch(alike=False), 0, 0.1)
    part(batch(alike=False), 0, 0.1)
    for one, other in zip(whole.learner.detector.parameters(), part.learner.detector.parameters(), strict=True):
        assert torch.equal(one, other)


def test_parts_are_of_nearly_equal_size(make_step: MakeStep) -> None:
    assert [len(part.targets) for part in make_step(4)._parts(batch())] == [3, 3]
    assert [len(part.targets) for part in make_step(2)._parts(batch(5))] == [2, 2, 1]


def test_an_automatic_weight_is_measured_once_a_step_whatever_the_parts(make_step: MakeStep) -> None:
    step = make_step(2, weight="auto")
    step(batch(), 0, 0.0)
    assert len(step.balances.state_dict()["imitation"]["ratios"]) == 1
