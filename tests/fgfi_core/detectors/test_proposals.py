"""Proposals of a batch against torchvision's, image by image."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection.rpn import RegionProposalNetwork

from fgfi_core.detectors.boxes import decode
from fgfi_core.detectors.proposals import Proposals, propose

SIZE = (200, 100)
LEVELS = (300, 80)


def anchors() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand((sum(LEVELS), 2), generator=generator) * torch.tensor([180.0, 80])
    return torch.cat((corner, corner + 10 + 30 * torch.rand((sum(LEVELS), 2), generator=generator)), dim=1)


def outputs(batch: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    objectness = 3 * torch.randn((batch, sum(LEVELS)), generator=generator)
    return objectness, 0.3 * torch.randn((batch, sum(LEVELS), 4), generator=generator)


def proposed(batch: int = 3, *, after: int = 60, least_score: float = 0.0) -> Proposals:
    objectness, deltas = outputs(batch)
    return propose(
        objectness,
        deltas,
        anchors=anchors(),
        levels=LEVELS,
        image_size=SIZE,
        before_nms=100,
        after_nms=after,
        nms_iou=0.5,
        least_score=least_score,
    )


@pytest.mark.parametrize("after", [60, 1000])
@pytest.mark.parametrize("least_score", [0.0, 0.9])
def test_proposals_are_those_of_torchvision(after: int, least_score: float) -> None:
    objectness, deltas = outputs(3)
    numbers = {"testing": 100}, {"testing": after}
    network = RegionProposalNetwork(nn.Identity(), nn.Identity(), 0.7, 0.3, 256, 0.5, *numbers, 0.5, least_score).eval()
    boxes = decode(deltas, anchors())
    expected, _ = network.filter_proposals(boxes, objectness, [SIZE[::-1]] * 3, list(LEVELS))
    ours = proposed(after=after, least_score=least_score)
    for row, theirs in enumerate(expected):
        assert ours.valid[row].sum() == len(theirs)
        torch.testing.assert_close(ours.boxes[row][ours.valid[row]], theirs)


def test_places_without_a_proposal_hold_the_whole_image_and_come_last() -> None:
    proposals = proposed(after=1000)
    assert proposals.boxes.shape == (3, 180, 4)
    count = proposals.valid.sum(dim=1)
    assert (count < 180).all()
    assert (torch.arange(180) < count[:, None]).equal(proposals.valid)
    assert (proposals.boxes[~proposals.valid] == torch.tensor([0.0, 0, *SIZE])).all()


def test_images_do_not_suppress_each_other() -> None:
    objectness, deltas = outputs(1)
    twice = propose(
        objectness.repeat(2, 1),
        deltas.repeat(2, 1, 1),
        anchors=anchors(),
        levels=LEVELS,
        image_size=SIZE,
        before_nms=100,
        after_nms=60,
        nms_iou=0.5,
    )
    assert torch.equal(twice.boxes[0], twice.boxes[1])
    assert torch.equal(twice.valid[0], twice.valid[1])


def test_a_proposal_that_left_the_image_is_dropped() -> None:
    outside, inside = torch.tensor([[300.0, 10, 340, 50], [20, 20, 60, 60]])
    proposals = propose(
        torch.tensor([[5.0, 1.0]]),
        torch.zeros(1, 2, 4),
        anchors=torch.stack((outside, inside)),
        levels=(2,),
        image_size=SIZE,
        before_nms=10,
        after_nms=10,
        nms_iou=0.7,
    )
    assert proposals.valid.tolist() == [[True, False]]
    torch.testing.assert_close(proposals.boxes[0, 0], inside)


def test_proposals_carry_no_gradient() -> None:
    objectness, deltas = (output.requires_grad_() for output in outputs(1))
    proposals = propose(
        objectness,
        deltas,
        anchors=anchors(),
        levels=LEVELS,
        image_size=SIZE,
        before_nms=100,
        after_nms=60,
        nms_iou=0.5,
    )
    assert not proposals.boxes.requires_grad
