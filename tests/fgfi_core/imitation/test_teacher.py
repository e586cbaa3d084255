"""The teacher beside a student: frozen, matched, and with an input size of its own."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from fgfi_core.detectors.detector import Detector
from fgfi_core.errors import BadSpec
from fgfi_core.imitation import FrozenTeacher, RegionEstimator, StudentPass, create
from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.spec.methods import FineGrained

Pyramid = Callable[..., Detector]
IMAGES = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(1))


def test_it_is_frozen_and_in_eval_mode(pyramid: Pyramid) -> None:
    teacher = pyramid()
    frozen = FrozenTeacher(teacher, pyramid())
    assert not teacher.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not any(level.requires_grad for level in frozen.maps(IMAGES))


def test_a_pair_without_levels_within_an_octave_is_refused_by_name(pyramid: Pyramid) -> None:
    with pytest.raises(BadSpec, match=r"'light'.*'heavy'"):
        FrozenTeacher(pyramid((6,), (4,), name="heavy"), pyramid((4,), (16,), name="light"))


def test_of_a_pyramid_the_matched_level_alone_is_compared(pyramid: Pyramid) -> None:
    teacher = pyramid((5, 6, 7), (4, 8, 16))
    frozen = FrozenTeacher(teacher, pyramid((3,), (8,)))
    assert frozen.channels == (6,)
    assert frozen.student_channels == (3,)
    assert torch.equal(frozen.matched(frozen.maps(IMAGES))[0], teacher.features(IMAGES)[1])
    assert torch.equal(frozen.anchors()[0], teacher.anchors()[1])


def test_images_are_resized_to_its_own_input(pyramid: Pyramid) -> None:
    teacher = pyramid((6,), (16,), (128, 96))
    larger = functional.interpolate(IMAGES, size=(96, 128), mode="bilinear", align_corners=False)
    (got,) = FrozenTeacher(teacher, pyramid()).maps(IMAGES)
    torch.testing.assert_close(got, teacher.features(larger)[0])


def test_boxes_are_scaled_to_its_own_input(pyramid: Pyramid) -> None:
    frozen = FrozenTeacher(pyramid((6,), (16,), (128, 192)), pyramid())
    boxes, none = frozen.boxes([torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.zeros(0, 4)])
    assert boxes.tolist() == [[2.0, 8.0, 6.0, 16.0]]
    assert none.shape == (0, 4)


def test_the_region_is_that_of_boxes_scaled_by_hand_on_its_own_grid(
    pyramid: Pyramid, student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,), (8,), (128, 96)), pyramid((4,), (8,))
    module, at = create(FineGrained(), teacher, student), student_pass(student)
    assert isinstance(module, MaskedImitation)
    by_hand = RegionEstimator(teacher.anchors())([target.boxes * 2 for target in at.targets], 0.5)
    got = module.masks(module.teacher.boxes([target.boxes for target in at.targets]))
    assert got[0].shape == (2, 12, 16)
    assert got[0].any()
    assert torch.equal(got[0], by_hand[0])


def test_its_confident_boxes_are_its_detections_above_the_score_in_the_students_pixels(pyramid: Pyramid) -> None:
    teacher = pyramid((6,), (16,), (128, 96))
    frozen = FrozenTeacher(teacher, pyramid())
    larger = functional.interpolate(IMAGES, size=(96, 128), mode="bilinear", align_corners=False)
    with torch.no_grad():
        found = teacher.detect(larger)
    middle = float(torch.cat([one.scores for one in found]).median())
    for target, one in zip(frozen.confident(IMAGES, middle), found, strict=True):
        sure = one.scores >= middle
        assert 0 < len(target.boxes) < len(one.boxes)
        torch.testing.assert_close(target.boxes * 2, one.boxes[sure])
        assert torch.equal(target.labels, one.labels[sure])


def test_nothing_is_above_a_score_that_nothing_reaches(pyramid: Pyramid) -> None:
    targets = FrozenTeacher(pyramid(), pyramid()).confident(IMAGES, 1.0)
    assert [list(target.boxes.shape) for target in targets] == [[0, 4], [0, 4]]
