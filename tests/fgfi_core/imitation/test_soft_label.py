"""Soft labels against the sums written out, and pairs whose class outputs are not about the same things."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from fgfi_core.detectors.detector import Detector
from fgfi_core.errors import BadSpec
from fgfi_core.imitation import StudentPass, create
from fgfi_core.imitation.soft_label import binary_divergence, softmax_divergence
from fgfi_core.spec.methods import SoftLabel

Pyramid = Callable[..., Detector]


def logits(seed: int, slots: int = 5) -> Tensor:
    return 3 * torch.randn(slots, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def softmax(row: list[float], temperature: float) -> list[float]:
    raised = [math.exp(x / temperature) for x in row]
    return [x / sum(raised) for x in raised]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_softmax_divergence_is_the_mean_kl_times_the_squared_temperature(temperature: float) -> None:
    student, teacher = logits(1), logits(2)
    total = 0.0
    for own_row, wanted_row in zip(student.tolist(), teacher.tolist(), strict=True):
        own, wanted = softmax(own_row, temperature), softmax(wanted_row, temperature)
        total += sum(p * math.log(p / q) for p, q in zip(wanted, own, strict=True))
    expected = temperature**2 * total / 5
    assert float(softmax_divergence(student, teacher, temperature)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_binary_divergence_sums_over_classes_and_averages_over_slots(temperature: float) -> None:
    student, teacher = logits(1), logits(2)
    total = 0.0
    for own, wanted in zip(student.flatten().tolist(), teacher.flatten().tolist(), strict=True):
        q, p = (1 / (1 + math.exp(-x / temperature)) for x in (own, wanted))
        total += p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    expected = temperature**2 * total / 5
    assert float(binary_divergence(student, teacher, temperature)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("divergence", [softmax_divergence, binary_divergence])
def test_gradients_are_those_of_the_formula(divergence: Callable[..., Tensor]) -> None:
    student, teacher = logits(1, 3).requires_grad_(), logits(2, 3)
    assert torch.autograd.gradcheck(lambda x: divergence(x, teacher, 2.0), student)


@pytest.mark.parametrize("divergence", [softmax_divergence, binary_divergence])
def test_equal_logits_and_no_slots_give_zero_and_huge_ones_stay_finite(divergence: Callable[..., Tensor]) -> None:
    same = logits(1)
    assert float(divergence(same, same, 2.0)) == pytest.approx(0, abs=1e-12)
    assert divergence(same[:0], same[:0], 2.0).item() == 0.0
    assert torch.isfinite(divergence(torch.tensor([[1e4, -1e4]]), torch.tensor([[-1e4, 1e4]]), 1.0))


@pytest.mark.parametrize(
    ("classification", "divergence"),
    [("anchors-softmax", softmax_divergence), ("anchors-sigmoid", binary_divergence)],
)
def test_the_detectors_kind_of_output_chooses_the_divergence(
    classification: str,
    divergence: Callable[..., Tensor],
    pyramid: Pyramid,
    student_pass: Callable[..., StudentPass],
) -> None:
    teacher, student = (pyramid((width,), classification=classification) for width in (6, 4))
    at = student_pass(student)
    wanted = teacher.class_logits(teacher.heads(teacher.features(at.images)))
    got = create(SoftLabel(temperature=3.0), teacher, student)(at)["soft_label"]
    torch.testing.assert_close(got, divergence(student.class_logits(at.outputs), wanted, 3.0))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"classification": "anchors-sigmoid"}, "anchors-softmax and per anchors-sigmoid"),
        ({"num_classes": 5}, "3 and 5 classes"),
        ({"strides": (16,)}, r"\[H, W, K\]"),
        ({"side": 3.0}, "places or shapes"),
    ],
)
def test_outputs_that_do_not_belong_together_are_refused(other: dict[str, Any], why: str, pyramid: Pyramid) -> None:
    teacher, student = pyramid((6,), **{"name": "heavy", **other}), pyramid((4,), name="light")
    with pytest.raises(BadSpec, match=why) as refusal:
        create(SoftLabel(), teacher, student)
    assert "'light'" in refusal.value.message
    assert "'heavy'" in refusal.value.message
    assert "fine-grained" in refusal.value.hint


def test_a_teacher_with_a_larger_input_and_the_same_grid_is_served(
    pyramid: Pyramid, student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,), (16,), (128, 96)), pyramid((4,), (8,), (64, 48))
    loss = create(SoftLabel(), teacher, student)(student_pass(student))["soft_label"]
    assert torch.isfinite(loss)
