"""One IoU for all boxes: a loop over the whole matrix, and what the paper holds against it."""

from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError
from torchvision.ops import box_iou

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import RegionEstimator, create
from fgfi_core.imitation.hard_threshold import HardThresholdImitation
from fgfi_core.spec.methods import HardThreshold

BOXES = torch.tensor([[4.0, 4.0, 24.0, 24.0], [10.0, 2.0, 60.0, 46.0], [30.0, 30.0, 34.0, 34.0]])


def method(fields: HardThreshold, pyramid: Callable[..., Detector]) -> HardThresholdImitation:
    module = create(fields, pyramid((6, 8), (8, 16)), pyramid((4, 8), (8, 16)))
    assert isinstance(module, HardThresholdImitation)
    return module


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.8])
def test_cells_are_those_with_an_iou_above_the_threshold(threshold: float, pyramid: Callable[..., Detector]) -> None:
    module = method(HardThreshold(threshold=threshold), pyramid)
    masks = module.masks([BOXES])
    assert masks[0].any() == (threshold < 0.8)
    for mask, anchors in zip(masks, module.teacher.anchors(), strict=True):
        ious = box_iou(anchors.flatten(0, 2), BOXES).amax(1).view(anchors.shape[:3])
        assert torch.equal(mask[0], (ious > threshold).any(-1))


def test_a_box_unlike_every_anchor_is_lost_where_psi_would_keep_it(pyramid: Callable[..., Detector]) -> None:
    module = method(HardThreshold(threshold=0.5), pyramid)
    small = BOXES[2:]
    assert not any(mask.any() for mask in module.masks([small]))
    assert any(mask.any() for mask in RegionEstimator(module.teacher.anchors())([small], 0.5))


def test_assigned_is_the_level_of_the_boxs_size(pyramid: Callable[..., Detector]) -> None:
    fine, coarse = method(HardThreshold(threshold=0.1, levels="assigned"), pyramid).masks([BOXES[1:2]])
    assert not fine.any()
    assert coarse.any()


def test_an_iou_for_each_level_means_nothing_here_and_is_refused() -> None:
    with pytest.raises(ValidationError, match="levels"):
        HardThreshold(levels="separate")
