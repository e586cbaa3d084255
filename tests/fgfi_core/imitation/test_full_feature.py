"""Full-feature imitation is the paper's loss over every cell."""

from collections.abc import Callable

import torch

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import StudentPass, create
from fgfi_core.imitation.full_feature import FullFeatureImitation
from fgfi_core.spec.methods import FullFeature


def test_loss_is_the_squared_distance_over_twice_the_cells_of_all_levels(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6, 8), (8, 16)), pyramid((4, 8), (8, 16))
    module = create(FullFeature(), teacher, student)
    assert isinstance(module, FullFeatureImitation)
    at = student_pass(student)
    squared, cells = torch.zeros(()), 0
    for adapter, own, wanted in zip(module.adapters, at.maps, teacher.features(at.images), strict=True):
        squared = squared + (adapter(own) - wanted).square().sum()
        cells += wanted.shape[0] * wanted.shape[2] * wanted.shape[3]
    torch.testing.assert_close(module(at)["imitation"], squared / (2 * cells))


def test_images_without_boxes_are_imitated_too(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,)), pyramid((4,))
    module = create(FullFeature(), teacher, student)
    torch.testing.assert_close(module(student_pass(student, ((), ()))), module(student_pass(student)))
