"""FGD's four parts, each written out with loops, and images without boxes."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import StudentPass, create
from fgfi_core.imitation.box_cells import box_cells
from fgfi_core.imitation.fgd import (
    Attention,
    FocalGlobalImitation,
    attention,
    attention_loss,
    focal_loss,
    relation_loss,
    scale_masks,
)
from fgfi_core.spec.methods import FocalGlobal

SIZE, GRID = (40, 24), (3, 5)  # cells of 8 x 8 pixels


def maps(seed: int) -> Tensor:
    return torch.randn(2, 4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def softmax(values: list[float], temperature: float) -> list[float]:
    raised = [math.exp(x / temperature) for x in values]
    return [x / sum(raised) for x in raised]


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_attention_is_the_softmax_of_mean_magnitudes_scaled_to_its_number_of_entries(temperature: float) -> None:
    x = maps(1)
    got = attention(x, temperature)
    for n in range(2):
        cells = [sum(abs(float(x[n, c, i, j])) for c in range(4)) / 4 for i in range(3) for j in range(5)]
        channels = [sum(abs(v) for v in x[n, c].flatten().tolist()) / 15 for c in range(4)]
        assert got.spatial[n].flatten().tolist() == pytest.approx([15 * v for v in softmax(cells, temperature)])
        assert got.channel[n].tolist() == pytest.approx([4 * v for v in softmax(channels, temperature)])


def test_a_cell_counts_by_the_smallest_box_over_it_and_background_by_its_share() -> None:
    # 3 x 3 cells from the origin, and over their last column one of 1 x 2 cells that reaches a column further.
    boxes = torch.tensor([[0.0, 0.0, 24.0, 24.0], [16.0, 0.0, 32.0, 8.0]])
    foreground, background = scale_masks(box_cells([boxes, torch.zeros(0, 4)], SIZE, GRID))
    ninth, half, fifth = 1 / 9, 1 / 2, 1 / 5
    assert foreground[0].tolist() == [
        pytest.approx([ninth, ninth, half, half, 0]),
        pytest.approx([ninth, ninth, ninth, 0, 0]),
        pytest.approx([ninth, ninth, ninth, 0, 0]),
    ]
    assert background[0].tolist() == [
        pytest.approx([0, 0, 0, 0, fifth]),
        pytest.approx([0, 0, 0, fifth, fifth]),
        pytest.approx([0, 0, 0, fifth, fifth]),
    ]
    assert not foreground[1].any()
    torch.testing.assert_close(background[1], torch.full(GRID, 1 / 15))


def test_a_batch_without_boxes_is_background_and_one_under_a_box_has_none() -> None:
    empty = torch.zeros(0, 4)
    foreground, background = scale_masks(box_cells([empty, empty], SIZE, GRID))
    assert not foreground.any()
    assert background.sum().item() == pytest.approx(2)
    _, none = scale_masks(box_cells([torch.tensor([[0.0, 0.0, 40.0, 24.0]])], SIZE, GRID))
    assert not none.any()


def test_focal_loss_weights_squared_errors_by_scale_and_the_teachers_attention() -> None:
    student, teacher, scale = maps(1), maps(2), maps(3)[:, 0].abs()
    spatial, channel = maps(4)[:, 0].abs(), maps(5)[:, :, 0, 0].abs()
    total = 0.0
    for n in range(2):
        for c in range(4):
            for i in range(3):
                for j in range(5):
                    error = float(student[n, c, i, j] - teacher[n, c, i, j])
                    total += float(scale[n, i, j] * spatial[n, i, j] * channel[n, c]) * error**2
    got = focal_loss(student, teacher, Attention(spatial, channel), scale)
    assert float(got) == pytest.approx(total / 2, rel=1e-6)


def test_attention_loss_is_the_absolute_difference_over_images() -> None:
    own, wanted = attention(maps(1), 0.5), attention(maps(2), 0.5)
    total = 0.0
    for one, other in zip(own, wanted, strict=True):
        total += sum(abs(a - b) for a, b in zip(one.flatten().tolist(), other.flatten().tolist(), strict=True))
    assert float(attention_loss(own, wanted)) == pytest.approx(total / 2, rel=1e-6)


def test_relation_loss_is_the_squared_difference_over_images() -> None:
    student, teacher = maps(1), maps(2)
    pairs = zip(student.flatten().tolist(), teacher.flatten().tolist(), strict=True)
    assert float(relation_loss(student, teacher)) == pytest.approx(sum((a - b) ** 2 for a, b in pairs) / 2, rel=1e-6)


def test_gradients_are_those_of_the_formulas() -> None:
    student, teacher, scale = maps(1)[:1].requires_grad_(), maps(2)[:1], maps(3)[:1, 0].abs()
    wanted = attention(teacher, 0.5)
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, teacher, wanted, scale), student)
    assert torch.autograd.gradcheck(lambda x: attention_loss(attention(x, 0.5), wanted), student)
    assert torch.autograd.gradcheck(lambda x: relation_loss(x, teacher), student)


def parts(fields: FocalGlobal, teacher: Detector, student: Detector, at: StudentPass) -> float:
    torch.manual_seed(1)
    return float(create(fields, teacher, student)(at)["imitation"].detach())


def test_the_method_is_the_sum_of_its_parts_in_the_ratio_of_its_fields(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,)), pyramid((4,))
    at = student_pass(student)
    none = {"foreground": 0.0, "background": 0.0, "attention": 0.0, "relation": 0.0}
    alone = {name: parts(FocalGlobal(**{**none, name: 1.0}), teacher, student, at) for name in none}
    assert all(alone.values())
    ratio = {"foreground": 1.0, "background": 0.5, "attention": 2.0, "relation": 0.01}
    expected = sum(ratio[name] * value for name, value in alone.items())
    assert parts(FocalGlobal(**ratio), teacher, student, at) == pytest.approx(expected, rel=1e-5)


def test_without_boxes_the_foreground_is_exactly_zero_and_the_rest_goes_on(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,)), pyramid((4,))
    at = student_pass(student, ((), ()))
    foreground = FocalGlobal(background=0, attention=0, relation=0)
    assert parts(foreground, teacher, student, at) == 0.0
    assert parts(FocalGlobal(), teacher, student, at) > 0.0


def test_context_blocks_of_student_and_teacher_are_apart(pyramid: Callable[..., Detector]) -> None:
    module = create(FocalGlobal(), pyramid((6, 8), (8, 16)), pyramid((4, 8), (8, 16)))
    assert isinstance(module, FocalGlobalImitation)
    assert len(module.student_context) == len(module.teacher_context) == 2
    assert not {id(p) for p in module.student_context.parameters()} & {
        id(p) for p in module.teacher_context.parameters()
    }
