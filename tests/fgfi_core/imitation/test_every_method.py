"""Every method runs from the same forward pass, by changing one word."""

from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor

from fgfi_core.detectors import create as create_detector
from fgfi_core.detectors.detector import Detector, Target
from fgfi_core.imitation import Imitation, StudentPass, create
from fgfi_core.imitation.registry import IMITATIONS
from fgfi_core.spec import methods

Pyramid = Callable[..., Detector]
Pass = Callable[..., StudentPass]
NAMES = [str(model.model_fields["name"].default) for model in IMITATIONS]
MASKED = ["fine-grained", "gt-box", "hard-threshold"]
SIZE = (64, 48)


def fields(name: str) -> methods.Imitation:
    # Tiny maps leave no box with an IoU of a half to an anchor.
    extra = {"threshold": 0.1} if name == "hard-threshold" else {}
    return cast("methods.Imitation", methods.METHODS[name](**extra))


def pair(pyramid: Pyramid) -> tuple[Detector, Detector]:
    """Teacher and student with two levels, one of equal channels."""
    return pyramid((6, 8), (8, 16), SIZE), pyramid((4, 8), (8, 16), SIZE)


def made(name: str, teacher: Detector, student: Detector) -> Imitation:
    """The method with adapters that matter; as initialised some are nearly zero."""
    torch.manual_seed(1)
    module = create(fields(name), teacher, student)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module


def total(losses: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def test_every_method_of_the_spec_has_a_module() -> None:
    assert {model.model_fields["name"].default for model in IMITATIONS} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_terms_are_those_of_the_spec_finite_and_above_zero(name: str, pyramid: Pyramid, student_pass: Pass) -> None:
    teacher, student = pair(pyramid)
    losses = made(name, teacher, student)(student_pass(student))
    assert set(losses) == set(fields(name).terms())
    for loss in losses.values():
        assert loss.shape == ()
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
        assert loss > 0


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_student_and_adapters_and_never_the_teacher(
    name: str, pyramid: Pyramid, student_pass: Pass
) -> None:
    teacher, student = pair(pyramid)
    module = made(name, teacher, student)
    at = student_pass(student)
    torch.autograd.backward(total(module(at)))
    mixes = [p.grad for n, p in student.named_parameters() if n.startswith("mixes")]
    for gradient in (*mixes, *(p.grad for p in module.parameters())):
        assert gradient is not None
        assert torch.isfinite(gradient).all()
        assert gradient.any()
    assert all(p.grad is None and not p.requires_grad for p in teacher.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_float32_in_half_precision_and_near_the_exact_ones(
    name: str, pyramid: Pyramid, student_pass: Pass
) -> None:
    teacher, student = pair(pyramid)
    module = made(name, teacher, student)
    torch.manual_seed(2)
    whole = module(student_pass(student))
    torch.manual_seed(2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = module(student_pass(student))
    for term, loss in half.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, whole[term], rtol=0.1, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_images_without_boxes_give_finite_losses_and_gradients(name: str, pyramid: Pyramid, student_pass: Pass) -> None:
    teacher, student = pair(pyramid)
    losses = made(name, teacher, student)(student_pass(student, ((), ())))
    torch.autograd.backward(total(losses))
    assert all(torch.isfinite(p.grad).all() for p in student.parameters() if p.grad is not None)
    assert all(torch.isfinite(loss) for loss in losses.values())


@pytest.mark.parametrize("name", MASKED)
def test_without_boxes_a_masked_method_is_exactly_zero(name: str, pyramid: Pyramid, student_pass: Pass) -> None:
    teacher, student = pair(pyramid)
    module = made(name, teacher, student)
    loss = module(student_pass(student, ((), ())))["imitation"]
    torch.autograd.backward(loss)
    assert loss.item() == 0.0
    assert not any(p.grad.any() for p in (*module.parameters(), *student.parameters()) if p.grad is not None)


@pytest.mark.parametrize("name", NAMES)
def test_a_student_whose_maps_have_another_size_is_compared_on_the_teachers_grid(
    name: str, pyramid: Pyramid, student_pass: Pass
) -> None:
    student = pyramid((4,), (8,), SIZE, side=4.0)
    # The soft labels' slots are the grid's cells: there both have the same.
    teacher = pyramid((6,), (8,), (128, 96), side=4.0) if "soft" not in name else pyramid((6,), (8,), SIZE, side=4.0)
    assert torch.isfinite(total(made(name, teacher, student)(student_pass(student))))


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_between_two_detectors_of_the_catalogue(name: str, student_pass: Pass) -> None:
    torch.manual_seed(0)
    teacher, student = (create_detector(f"ssd-shufflenetv2-{width}", 2, (96, 64)) for width in ("0.5x", "0.25x"))
    losses = made(name, teacher, student)(student_pass(student))
    assert torch.isfinite(total(losses))


@pytest.mark.parametrize("name", NAMES)
def test_its_parameters_are_neither_the_teachers_nor_the_students(name: str, pyramid: Pyramid) -> None:
    teacher, student = pair(pyramid)
    module = made(name, teacher, student)
    own = {id(p) for p in module.parameters()}
    assert not own & {id(p) for p in (*teacher.parameters(), *student.parameters())}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", NAMES)
def test_no_method_waits_for_the_gpu(name: str, pyramid: Pyramid, student_pass: Pass) -> None:
    teacher, student = pair(pyramid)
    teacher.cuda()
    on_cpu = student_pass(student)
    student.cuda()
    module = made(name, teacher, student).cuda()
    targets = [Target(target.boxes.cuda(), target.labels.cuda()) for target in on_cpu.targets]
    maps = student.features(on_cpu.images.cuda())
    at = StudentPass(on_cpu.images.cuda(), targets, maps, student.heads(maps))
    torch.autograd.backward(total(module(at)))  # libraries load on the first call, and wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        module(at)
    finally:
        torch.cuda.set_sync_debug_mode("default")
