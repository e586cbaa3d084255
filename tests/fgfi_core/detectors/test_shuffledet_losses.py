import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from torchvision.ops import box_convert, box_iou

from fgfi_core.detectors import Target
from fgfi_core.detectors.anchors import grid
from fgfi_core.detectors.boxes import decode, encode, pad_targets
from fgfi_core.detectors.shuffledet_losses import assign, shuffledet_losses

ANCHORS = grid([(12, 12), (30, 20)], (64, 48), (4, 3), inset=True).flatten(0, 2)
INTEGER_BOX = st.builds(
    lambda x, y, w, h: (x, y, x + w, y + h),
    st.integers(-20, 90),
    st.integers(-20, 70),
    st.integers(1, 50),
    st.integers(1, 50),
)


def assign_slowly(anchors: torch.Tensor, boxes: torch.Tensor) -> list[int]:
    """The rule, word by word, for one image."""
    taken: list[int] = []
    for box in boxes:
        iou = box_iou(box[None], anchors)[0]
        free = [i for i in range(len(anchors)) if i not in taken]
        best = max(free, key=lambda i: iou[i].item())
        if iou[best] == 0:
            difference = box_convert(box[None], "xyxy", "cxcywh") - box_convert(anchors, "xyxy", "cxcywh")
            distance = difference.square().sum(dim=1)
            best = min(free, key=lambda i: distance[i].item())
        taken.append(best)
    return taken


@given(st.lists(st.lists(INTEGER_BOX, min_size=1, max_size=8), min_size=1, max_size=3))
def test_assignment_is_the_rule_word_by_word(images: list[list[tuple[int, int, int, int]]]) -> None:
    boxes = [torch.tensor(image, dtype=torch.float32) for image in images]
    batch, _, _ = pad_targets([Target(b, torch.zeros(len(b))) for b in boxes], torch.device("cpu"))
    for row, image in zip(assign(ANCHORS, batch), boxes, strict=True):
        assert row[: len(image)].tolist() == assign_slowly(ANCHORS, image)


def test_equal_boxes_get_different_anchors() -> None:
    chosen = assign(ANCHORS, torch.tensor([[20.0, 15, 40, 30]]).expand(1, 5, 4))
    assert len(set(chosen[0].tolist())) == 5


def test_losses_are_the_formulas_written_out() -> None:
    torch.manual_seed(0)
    images = [
        Target(torch.tensor([[5.0, 5, 20, 18], [30, 10, 60, 40]]), torch.tensor([2, 0])),
        Target(torch.tensor([[10.0, 20, 30, 44]]), torch.tensor([1])),
    ]
    logits, confidence, deltas = torch.randn(2, 24, 3), torch.randn(2, 24), torch.randn(2, 24, 4) / 4
    decoded = decode(deltas, ANCHORS)
    boxes, labels, real = pad_targets(images, torch.device("cpu"))
    ours = shuffledet_losses(
        logits, confidence, deltas, decoded=decoded, anchors=ANCHORS, boxes=boxes, labels=labels, real=real
    )

    classes = conf = box = 0.0
    objects = 3
    for b, image in enumerate(images):
        chosen = assign_slowly(ANCHORS, image.boxes)
        for a in range(24):
            guess = confidence[b, a].sigmoid().item()
            if a not in chosen:
                conf += 100 / (24 - objects) * guess**2 / 2
                continue
            g = chosen.index(a)
            iou = box_iou(decoded[b, a : a + 1], image.boxes[g : g + 1]).item()
            conf += 75 / objects * (iou - guess) ** 2 / 2
            p = functional.softmax(logits[b, a], dim=0).tolist()
            classes -= sum(math.log(p[c] if c == image.labels[g] else 1 - p[c]) for c in range(3)) / objects
            box += 5 * (deltas[b, a] - encode(image.boxes[g], ANCHORS[a])).square().sum().item() / objects
    torch.testing.assert_close(ours["class"].item(), classes, rtol=1e-5, atol=0)
    torch.testing.assert_close(ours["confidence"].item(), conf, rtol=1e-5, atol=0)
    torch.testing.assert_close(ours["box"].item(), box, rtol=1e-5, atol=0)


def crowded_losses(logits: torch.Tensor, count: int) -> dict[str, torch.Tensor]:
    batch, classes = logits.shape[0], logits.shape[2]
    boxes = torch.tensor([20.0, 15, 40, 30]).expand(batch, count, 4)
    return shuffledet_losses(
        logits,
        torch.zeros(batch, 24),
        torch.zeros(batch, 24, 4),
        decoded=ANCHORS.expand(batch, -1, -1),
        anchors=ANCHORS,
        boxes=boxes,
        labels=torch.full((batch, count), classes - 1),
        real=torch.ones(batch, count, dtype=torch.bool),
    )


def test_a_crowded_batch_never_rewards_confidence_elsewhere() -> None:
    # Twelve boxes an image in four images are twice one image's anchors: the plain rate would be negative.
    losses = crowded_losses(torch.zeros(4, 24, 3), 12)
    assert losses["confidence"] > 0


def test_a_single_class_has_no_class_loss_and_no_nan() -> None:
    logits = torch.zeros(1, 24, 1, requires_grad=True)
    loss = crowded_losses(logits, 2)["class"]
    torch.autograd.backward(loss)
    assert loss == 0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_a_class_that_is_surely_wrong_still_learns() -> None:
    logits = torch.tensor([60.0, 0, 0]).expand(1, 24, 3).clone().requires_grad_()
    torch.autograd.backward(crowded_losses(logits, 1)["class"])
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad[..., 2].min() < -0.9
