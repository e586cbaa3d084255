"""The imitation loss against equation 2 written out, and where there is nothing to imitate."""

import pytest
import torch
from torch import Tensor

from fgfi_core.imitation import Adapter, imitation_loss


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def adapter(student: int, teacher: int) -> Adapter:
    torch.manual_seed(student)
    module = Adapter(student, teacher)
    torch.nn.init.normal_(module.conv.weight, std=0.3)
    return module


def test_loss_is_equation_two_with_cells_counted_over_batch_and_levels() -> None:
    adapters = [adapter(4, 6), adapter(5, 7)]
    students = [random(2, 4, 5, 6, seed=1), random(2, 5, 3, 3, seed=2)]
    teachers = [random(2, 6, 5, 6, seed=3), random(2, 7, 3, 3, seed=4)]
    masks = [random(2, 5, 6, seed=5) > 0.5, random(2, 3, 3, seed=6) > 0.5]

    total, cells = torch.zeros(()), 0
    for module, student, teacher, mask in zip(adapters, students, teachers, masks, strict=True):
        adapted = module(student)
        for b, i, j in mask.nonzero().tolist():
            total = total + ((adapted[b, :, i, j] - teacher[b, :, i, j]) ** 2).sum()
            cells += 1

    assert cells > 10
    torch.testing.assert_close(imitation_loss(adapters, students, teachers, masks), total / (2 * cells))


def test_empty_masks_give_exactly_zero_and_zero_gradients() -> None:
    module, student = adapter(4, 6), random(2, 4, 5, 6, seed=1).requires_grad_()
    loss = imitation_loss([module], [student], [random(2, 6, 5, 6, seed=2)], [torch.zeros(2, 5, 6, dtype=torch.bool)])
    assert loss.item() == 0.0
    torch.autograd.backward(loss)
    for gradient in (student.grad, module.conv.weight.grad):
        assert gradient is not None
        assert not gradient.any()


def test_a_smaller_student_map_is_resized_to_the_teachers_grid() -> None:
    module, student, teacher = adapter(4, 6), random(1, 4, 4, 5, seed=1), random(1, 6, 8, 10, seed=2)
    mask = random(1, 8, 10, seed=3) > 0
    resized = torch.nn.functional.interpolate(student, size=(8, 10), mode="bilinear", align_corners=False)
    torch.testing.assert_close(
        imitation_loss([module], [student], [teacher], [mask]),
        imitation_loss([module], [resized], [teacher], [mask]),
    )


def test_no_gradient_reaches_the_teacher() -> None:
    module, student = adapter(4, 6), random(1, 4, 5, 5, seed=1).requires_grad_()
    teacher = random(1, 6, 5, 5, seed=2).requires_grad_()
    loss = imitation_loss([module], [student], [teacher], [torch.ones(1, 5, 5, dtype=torch.bool)])
    torch.autograd.backward(loss)
    assert teacher.grad is None
    assert student.grad is not None
    assert student.grad.any()


def test_loss_is_float32_under_half_precision() -> None:
    module, student, teacher = adapter(4, 6), random(1, 4, 5, 5, seed=1), random(1, 6, 5, 5, seed=2)
    mask = torch.ones(1, 5, 5, dtype=torch.bool)
    exact = imitation_loss([module], [student], [teacher], [mask])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = imitation_loss([module], [student], [teacher.bfloat16()], [mask])
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, exact, rtol=0.02, atol=0)


def pull(loss: Tensor, at: list[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss, at, materialize_grads=True)


@pytest.mark.parametrize("share", [(0.0, 0.0), (0.0, 0.5), (0.3, 0.6), (1.0, 1.0)])
def test_gathered_and_dense_agree_forward_and_backward(share: tuple[float, float]) -> None:
    adapters = [adapter(4, 6).double(), adapter(5, 7).double()]
    students = [random(2, 4, 5, 6, seed=1).double(), random(2, 5, 2, 2, seed=2).double()]
    teachers = [random(2, 6, 5, 6, seed=3).double(), random(2, 7, 3, 3, seed=4).double()]
    generator = torch.Generator().manual_seed(5)
    masks = [torch.rand(2, *grid, generator=generator) < s for grid, s in zip(((5, 6), (3, 3)), share, strict=True)]
    inputs = [s.requires_grad_() for s in students] + [p for module in adapters for p in module.parameters()]
    gathered, dense = (imitation_loss(adapters, students, teachers, masks, dense=way) for way in (False, True))
    assert bool(dense > 0) == (max(share) > 0)
    torch.testing.assert_close(dense, gathered, rtol=1e-6, atol=0)
    torch.testing.assert_close(pull(dense, inputs), pull(gathered, inputs), rtol=1e-6, atol=1e-12)


def test_gradient_is_that_of_the_formula() -> None:
    module, student, teacher = adapter(2, 3).double(), random(1, 2, 3, 3, seed=1).double(), random(1, 3, 3, 3, seed=2)
    mask = random(1, 3, 3, seed=3) > 0
    assert torch.autograd.gradcheck(
        lambda x: imitation_loss([module], [x], [teacher.double()], [mask]), student.requires_grad_()
    )
