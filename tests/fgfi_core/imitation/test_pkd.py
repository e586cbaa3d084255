"""PKD is one minus Pearson's correlation, and a constant channel has none."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fgfi_core.imitation.pkd import pkd_loss


def maps(seed: int, *shape: int) -> Tensor:
    return 3 + 2 * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_loss_is_one_minus_pearsons_correlation_averaged_over_channels() -> None:
    student, teacher = maps(1, 2, 3, 4, 5), maps(2, 2, 3, 4, 5)
    correlations = [np.corrcoef(student[:, c].flatten(), teacher[:, c].flatten())[0, 1] for c in range(3)]
    assert float(pkd_loss(student, teacher)) == pytest.approx(1 - np.mean(correlations), rel=1e-6)


def test_loss_is_half_the_squared_distance_of_standardised_maps() -> None:
    student, teacher = maps(1, 2, 3, 4, 5).numpy(), maps(2, 2, 3, 4, 5).numpy()
    standardised = [
        (x - x.mean((0, 2, 3), keepdims=True)) / x.std((0, 2, 3), keepdims=True) for x in (student, teacher)
    ]
    expected = ((standardised[0] - standardised[1]) ** 2).mean() / 2
    assert float(pkd_loss(torch.from_numpy(student), torch.from_numpy(teacher))) == pytest.approx(expected, rel=1e-6)


def test_gradient_is_that_of_the_formula() -> None:
    student, teacher = maps(1, 1, 2, 3, 3).requires_grad_(), maps(2, 1, 2, 3, 3)
    assert torch.autograd.gradcheck(lambda x: pkd_loss(x, teacher), student)


def test_scale_and_offset_of_a_channel_change_nothing() -> None:
    student, teacher = maps(1, 2, 3, 4, 5), maps(2, 2, 3, 4, 5)
    scale = torch.tensor([0.1, 2.0, 30.0])[:, None, None]
    torch.testing.assert_close(pkd_loss(student * scale + 7, teacher), pkd_loss(student, teacher))


def test_a_dead_channel_has_no_gradient_and_leaves_the_others_as_they_are() -> None:
    student, teacher = maps(1, 2, 3, 4, 5), maps(2, 2, 3, 4, 5)
    student[:, 1] = 0
    student.requires_grad_()
    (gradient,) = torch.autograd.grad(pkd_loss(student, teacher), student)
    (alone,) = torch.autograd.grad(pkd_loss(student[:, ::2], teacher[:, ::2]) * 2 / 3, student)
    assert not gradient[:, 1].any()
    torch.testing.assert_close(gradient, alone)
