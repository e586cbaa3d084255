"""Whole maps are compared in the teacher's size and channels, level by level."""

from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import nn
from torch.nn import functional

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import StudentPass, create
from fgfi_core.imitation.cwd import cwd_loss
from fgfi_core.imitation.whole_map import WholeMapImitation
from fgfi_core.spec import methods


@pytest.mark.parametrize("name", ["cwd", "pkd", "fgd", "mgd"])
def test_a_convolution_stands_only_where_channels_differ(name: str, pyramid: Callable[..., Detector]) -> None:
    fields = cast("methods.Imitation", methods.METHODS[name]())
    module = create(fields, pyramid((6, 8), (8, 16)), pyramid((4, 8), (8, 16)))
    assert isinstance(module, WholeMapImitation)
    differ, agree = module.adapters
    assert isinstance(differ, nn.Conv2d)
    assert differ.kernel_size == (1, 1)
    assert isinstance(agree, nn.Identity)


def test_the_loss_is_the_sum_over_levels(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6, 8), (8, 16)), pyramid((6, 8), (8, 16))
    at = student_pass(student)
    first, second = (
        cwd_loss(own, wanted, 1.0) for own, wanted in zip(at.maps, teacher.features(at.images), strict=True)
    )
    assert first > 0
    assert second > 0
    torch.testing.assert_close(create(methods.ChannelWise(), teacher, student)(at)["imitation"], first + second)


def test_a_smaller_map_is_resized_to_the_teachers_grid(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,), (8,), (128, 96)), pyramid((6,), (8,))
    at = student_pass(student)
    larger = functional.interpolate(at.images, size=(96, 128), mode="bilinear", align_corners=False)
    stretched = functional.interpolate(at.maps[0], size=(12, 16), mode="bilinear", align_corners=False)
    expected = cwd_loss(stretched, teacher.features(larger)[0], 1.0)
    torch.testing.assert_close(create(methods.ChannelWise(), teacher, student)(at)["imitation"], expected)
