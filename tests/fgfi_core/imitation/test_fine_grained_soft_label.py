"""Both terms are those of the two methods, from one pass of the teacher."""

from collections.abc import Callable

import torch
from torch import Tensor

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import StudentPass, create
from fgfi_core.spec.methods import FineGrained, FineGrainedSoftLabel, SoftLabel


def test_terms_equal_those_of_the_two_methods(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,)), pyramid((4,))
    at = student_pass(student)
    both = create(FineGrainedSoftLabel(threshold=0.4, temperature=3.0), teacher, student)
    alone = create(FineGrained(threshold=0.4), teacher, student)
    alone.load_state_dict(both.state_dict())
    expected = {**alone(at), **create(SoftLabel(temperature=3.0), teacher, student)(at)}
    torch.testing.assert_close(both(at), expected)


def test_the_teacher_sees_the_images_once(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,)), pyramid((4,))
    module, at = create(FineGrainedSoftLabel(), teacher, student), student_pass(student)
    seen: list[Tensor] = []
    next(teacher.children())[0].register_forward_hook(lambda _, images, __: seen.extend(images))  # type: ignore[index]  # The first child is a list.
    module(at)
    assert len(seen) == 1
