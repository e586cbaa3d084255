"""Imitation under the boxes, on all levels or on the one of a box's size."""

from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import create
from fgfi_core.imitation.gt_box import GroundTruthBoxImitation
from fgfi_core.spec.methods import GroundTruthBox

# Anchors of the levels have sides of about 2.8 strides: 23 and 45 pixels.
SMALL, LARGE = [4.0, 4.0, 23.0, 23.0], [10.0, 2.0, 60.0, 46.0]


def method(fields: GroundTruthBox, pyramid: Callable[..., Detector]) -> GroundTruthBoxImitation:
    module = create(fields, pyramid((6, 8), (8, 16)), pyramid((4, 8), (8, 16)))
    assert isinstance(module, GroundTruthBoxImitation)
    return module


def test_joint_is_every_level(pyramid: Callable[..., Detector]) -> None:
    fine, coarse = method(GroundTruthBox(), pyramid).masks([torch.tensor([SMALL])])
    assert fine.shape == (1, 6, 8)
    assert fine.nonzero()[:, 1:].tolist() == [[row, column] for row in range(3) for column in range(3)]
    assert coarse.nonzero()[:, 1:].tolist() == [[0, 0]]


def test_assigned_is_the_level_of_the_boxs_size(pyramid: Callable[..., Detector]) -> None:
    masks = method(GroundTruthBox(levels="assigned"), pyramid).masks
    both = method(GroundTruthBox(), pyramid).masks
    for box, level in ((SMALL, 0), (LARGE, 1)):
        found, everywhere = masks([torch.tensor([box])]), both([torch.tensor([box])])
        assert torch.equal(found[level], everywhere[level])
        assert not found[1 - level].any()


def test_a_box_smaller_than_a_cell_is_not_lost(pyramid: Callable[..., Detector]) -> None:
    for mask in method(GroundTruthBox(), pyramid).masks([torch.tensor([[33.0, 17.0, 35.0, 19.0]])]):
        assert int(mask.sum()) == 1


def test_an_iou_for_each_level_means_nothing_here_and_is_refused() -> None:
    with pytest.raises(ValidationError, match="levels"):
        GroundTruthBox(levels="separate")
