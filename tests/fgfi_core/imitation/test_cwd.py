"""CWD's formula written out, and what it does not look at."""

import math

import pytest
import torch
from torch import Tensor

from fgfi_core.imitation.cwd import cwd_loss


def maps(seed: int, *shape: int) -> Tensor:
    return 2 * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def distribution(cells: list[float], temperature: float) -> list[float]:
    raised = [math.exp(x / temperature) for x in cells]
    return [x / sum(raised) for x in raised]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_loss_is_the_divergence_over_cells_averaged_over_images_and_channels(temperature: float) -> None:
    student, teacher = maps(1, 2, 3, 4, 5), maps(2, 2, 3, 4, 5)
    total = 0.0
    for n in range(2):
        for c in range(3):
            own = distribution(student[n, c].flatten().tolist(), temperature)
            wanted = distribution(teacher[n, c].flatten().tolist(), temperature)
            total += sum(p * math.log(p / q) for p, q in zip(wanted, own, strict=True))
    expected = temperature**2 * total / (2 * 3)
    assert float(cwd_loss(student, teacher, temperature)) == pytest.approx(expected, rel=1e-6)


def test_gradient_is_that_of_the_formula() -> None:
    student, teacher = maps(1, 1, 2, 3, 3).requires_grad_(), maps(2, 1, 2, 3, 3)
    assert torch.autograd.gradcheck(lambda x: cwd_loss(x, teacher, 2.0), student)


def test_a_constant_added_to_a_channel_changes_nothing() -> None:
    student, teacher = maps(1, 2, 3, 4, 5), maps(2, 2, 3, 4, 5)
    offset = torch.tensor([1.0, -5.0, 30.0])[:, None, None]
    torch.testing.assert_close(cwd_loss(student + offset, teacher - offset, 1.0), cwd_loss(student, teacher, 1.0))
