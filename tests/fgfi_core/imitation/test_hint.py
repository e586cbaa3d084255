"""The hint's regression against a plain loop."""

from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch import nn

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import StudentPass, create
from fgfi_core.imitation.hint import HintImitation, hint_loss
from fgfi_core.spec.methods import Hint


def test_loss_is_the_mean_over_images_channels_and_cells() -> None:
    student, teacher = torch.randn(2, 2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    pairs = zip(student.flatten().tolist(), teacher.flatten().tolist(), strict=True)
    expected = sum((a - b) ** 2 for a, b in pairs) / (2 * 3 * 4 * 5)
    assert float(hint_loss(student, teacher)) == pytest.approx(expected, rel=1e-6)


def test_gradient_is_that_of_the_formula() -> None:
    student, teacher = torch.randn(2, 1, 2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(lambda x: hint_loss(x, teacher), student.requires_grad_())


@pytest.mark.parametrize("kernel", [1, 3])
def test_levels_are_regressed_by_this_kernel_and_summed(
    kernel: Literal[1, 3], pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6, 8), (8, 16)), pyramid((4, 8), (8, 16))
    module = create(Hint(kernel=kernel), teacher, student)
    assert isinstance(module, HintImitation)
    at = student_pass(student)
    total = torch.zeros(())
    for adapter, own, wanted in zip(module.adapters, at.maps, teacher.features(at.images), strict=True):
        assert isinstance(adapter, nn.Conv2d)
        assert adapter.kernel_size == (kernel, kernel)
        total = total + (adapter(own) - wanted).square().mean()
    torch.testing.assert_close(module(at)["imitation"], total)
