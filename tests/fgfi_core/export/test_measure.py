"""The parity verdict, and how latency is taken."""

import pytest
import torch
from torch import Tensor

from fgfi_core.detectors import Detections
from fgfi_core.export.measure import DetectFn, latency, parity, torch_threads

IMAGES = torch.zeros(2, 3, 8, 8)
BOXES = torch.tensor([[0.0, 0.0, 10.0, 10.0], [30.0, 30.0, 50.0, 60.0], [70.0, 5.0, 90.0, 25.0]])
SCORES = torch.tensor([0.9, 0.6, 0.3])
LABELS = torch.tensor([0, 1, 1])


def always(boxes: Tensor = BOXES, scores: Tensor = SCORES, labels: Tensor = LABELS) -> DetectFn:
    return lambda images: [Detections(boxes, scores, labels) for _ in images]


def test_equal_detections_are_in_parity() -> None:
    compared = parity(always(), always(), IMAGES)
    assert compared.holds
    assert (compared.detections, compared.alone, compared.max_box_difference) == (12, 0, 0.0)


def test_order_does_not_matter() -> None:
    assert parity(always(), always(BOXES.flip(0), SCORES.flip(0), LABELS.flip(0)), IMAGES).holds


def test_no_detections_on_either_side_are_in_parity() -> None:
    empty = always(BOXES[:0], SCORES[:0], LABELS[:0])
    assert parity(empty, empty, IMAGES).holds


def test_boxes_that_moved_are_reported_and_refused() -> None:
    compared = parity(always(), always(BOXES + 0.5), IMAGES)
    assert compared.max_box_difference == pytest.approx(0.5)
    assert not compared.holds


def test_scores_that_changed_are_reported_and_refused() -> None:
    compared = parity(always(), always(scores=SCORES + 0.01), IMAGES)
    assert compared.max_score_difference == pytest.approx(0.01)
    assert not compared.holds


@pytest.mark.parametrize(
    ("other", "alone"),
    [
        (always(BOXES[:2], SCORES[:2], LABELS[:2]), 2),
        (always(BOXES[:0], SCORES[:0], LABELS[:0]), 6),
        (always(labels=torch.tensor([0, 1, 2])), 4),
        (always(BOXES + torch.tensor([[0.0], [0.0], [20.0]])), 4),
    ],
    ids=["one is missing", "all are missing", "another class", "another place"],
)
def test_detections_without_a_partner_are_counted_and_refused(other: DetectFn, alone: int) -> None:
    for compared in (parity(always(), other, IMAGES), parity(other, always(), IMAGES)):
        assert compared.alone == alone
        assert not compared.holds


def test_one_detection_in_two_hundred_may_be_alone() -> None:
    corners = torch.arange(200).float()[:, None] * 30
    boxes = torch.cat([corners, corners, corners + 20, corners + 20], 1)
    scores, labels = torch.linspace(0.9, 0.1, 200), torch.zeros(200, dtype=torch.int64)
    for left_out, holds in ((1, True), (4, False)):
        kept = slice(None, 200 - left_out)
        compared = parity(always(boxes, scores, labels), always(boxes[kept], scores[kept], labels[kept]), IMAGES)
        assert compared.holds is holds


def test_one_detection_in_two_hundred_may_have_moved() -> None:
    corners = torch.arange(400).float()[:, None] * 30
    boxes = torch.cat([corners, corners, corners + 20, corners + 20], 1)
    scores, labels = torch.linspace(0.9, 0.1, 400), torch.zeros(400, dtype=torch.int64)
    for count, holds in ((2, True), (3, False)):
        other = boxes.clone()
        other[:count] += 0.5
        compared = parity(always(boxes, scores, labels), always(other, scores, labels), IMAGES)
        assert compared.moved == 2 * count  # on two images
        assert compared.max_box_difference == pytest.approx(0.5, rel=1e-3)
        assert compared.holds is holds


def test_latency_is_taken_of_one_image_after_a_warm_up() -> None:
    seen: list[tuple[int, ...]] = []

    def detect(images: Tensor) -> list[Detections]:
        seen.append(tuple(images.shape))
        return always()(images)

    assert latency(detect, IMAGES[:1]) > 0
    assert len(seen) == 53  # fast enough to take every round
    assert set(seen) == {(1, 3, 8, 8)}


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
