from types import SimpleNamespace

import pytest
import torch
from torchvision.models.detection import ssd as torchvision_ssd
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.ops import box_iou

from fgfi_core.detectors import Target
from fgfi_core.detectors.anchors import grid
from fgfi_core.detectors.boxes import pad_targets
from fgfi_core.detectors.ssd_losses import match, ssd_losses

ANCHORS = grid([(20, 20), (40, 30), (30, 60)], (128, 96), (8, 6)).flatten(0, 2)


def random_targets(counts: list[int]) -> list[Target]:
    generator = torch.Generator().manual_seed(0)
    targets = []
    for count in counts:
        corner = torch.rand((count, 2), generator=generator) * torch.tensor([90.0, 60.0])
        size = torch.rand((count, 2), generator=generator) * 35 + 3
        labels = torch.randint(0, 3, (count,), generator=generator)
        targets.append(Target(torch.cat((corner, corner + size), dim=1), labels))
    return targets


def padded(targets: list[Target]) -> dict[str, torch.Tensor]:
    boxes, labels, real = pad_targets(targets, torch.device("cpu"))
    return {"boxes": boxes, "labels": labels, "real": real}


def test_matching_is_that_of_torchvision() -> None:
    targets = random_targets([7, 1, 12])
    batch = padded(targets)
    matched = match(ANCHORS, batch["boxes"], batch["real"])
    for row, target in zip(matched, targets, strict=True):
        assert torch.equal(row, SSDMatcher(0.5)(box_iou(target.boxes, ANCHORS)))


@pytest.mark.parametrize("counts", [[7, 1, 12], [3], [0, 5]])
def test_losses_are_those_of_torchvision(counts: list[int]) -> None:
    targets = random_targets(counts)
    batch = padded(targets)
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn((len(counts), len(ANCHORS), 4), generator=generator)
    deltas = torch.randn((len(counts), len(ANCHORS), 4), generator=generator)
    ours = ssd_losses(logits, deltas, anchors=ANCHORS, **batch)

    reference = torchvision_ssd.SSD.compute_loss(
        SimpleNamespace(box_coder=BoxCoder((10.0, 10.0, 5.0, 5.0)), neg_to_pos_ratio=3),
        [{"boxes": target.boxes, "labels": target.labels + 1} for target in targets],
        {"cls_logits": logits, "bbox_regression": deltas},
        [ANCHORS] * len(counts),
        list(match(ANCHORS, batch["boxes"], batch["real"])),
    )
    torch.testing.assert_close(ours["class"], reference["classification"])
    torch.testing.assert_close(ours["box"], reference["bbox_regression"])


def test_every_box_has_an_anchor_even_below_the_matching_overlap() -> None:
    tiny = torch.tensor([[[60.0, 50, 63, 53], [10, 10, 14, 12]]])
    matched = match(ANCHORS, tiny, torch.ones(1, 2, dtype=torch.bool))
    assert sorted(matched[matched >= 0].tolist()) == [0, 1]


def test_a_box_that_overlaps_no_anchor_is_left_out() -> None:
    outside = torch.tensor([[[1000.0, 1000, 1010, 1010]]])
    assert (match(ANCHORS, outside, torch.ones(1, 1, dtype=torch.bool)) == -1).all()


def test_losses_are_float32_under_autocast() -> None:
    batch = padded(random_targets([2]))
    logits, deltas = (torch.randn(1, len(ANCHORS), 4, dtype=torch.bfloat16) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        losses = ssd_losses(logits, deltas, anchors=ANCHORS, **batch)
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
