import torch

from fgfi_core.detectors import Selection

APART = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [60, 0, 70, 10]])
STACKED = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 11], [0, 0, 11, 10]])


def test_scores_must_be_above_the_threshold() -> None:
    scores = torch.tensor([[0.5], [0.3], [0.2], [0.1]])
    found = Selection(score_threshold=0.2, nms_iou=0.5)(APART, scores)
    assert found.scores.tolist() == scores[:2, 0].tolist()


def test_detections_come_best_first() -> None:
    found = Selection(score_threshold=0.0, nms_iou=0.5)(APART, torch.tensor([[0.1], [0.4], [0.3], [0.2]]))
    assert torch.equal(found.boxes, APART[[1, 2, 3, 0]])


def test_a_better_box_of_the_same_class_suppresses() -> None:
    found = Selection(score_threshold=0.0, nms_iou=0.5)(STACKED, torch.tensor([[0.1], [0.3], [0.2]]))
    assert torch.equal(found.boxes, STACKED[1:2])


def test_a_better_box_of_another_class_does_not_suppress() -> None:
    found = Selection(score_threshold=0.0, nms_iou=0.5)(STACKED[:2], torch.tensor([[0.5, 0.0], [0.0, 0.25]]))
    assert found.labels.tolist() == [0, 1]


def test_one_anchor_can_be_two_classes() -> None:
    found = Selection(score_threshold=0.0, nms_iou=0.5)(APART[:1], torch.tensor([[0.25, 0.5]]))
    assert found.labels.tolist() == [1, 0]
    assert found.scores.tolist() == [0.5, 0.25]
    assert torch.equal(found.boxes, APART[[0, 0]])


def test_only_the_best_candidates_of_each_class_enter() -> None:
    scores = torch.tensor([[0.9, 0.1], [0.8, 0.0], [0.7, 0.2], [0.6, 0.3]])
    found = Selection(score_threshold=0.0, candidates_per_class=2, nms_iou=0.5)(APART, scores)
    assert found.labels.tolist() == [0, 0, 1, 1]


def test_only_the_best_candidates_of_all_enter() -> None:
    scores = torch.tensor([[0.9, 0.1], [0.8, 0.0], [0.7, 0.2], [0.6, 0.3]])
    found = Selection(score_threshold=0.0, candidates=4, nms_iou=0.5)(APART, scores)
    assert found.labels.tolist() == [0, 0, 0, 0]


def test_suppressed_candidates_make_no_room_for_others() -> None:
    boxes = torch.cat((STACKED, APART[1:2]))
    found = Selection(score_threshold=0.0, candidates=3, nms_iou=0.5)(boxes, torch.tensor([[0.9], [0.8], [0.7], [0.6]]))
    assert torch.equal(found.boxes, boxes[:1])


def test_the_limit_of_a_class_leaves_the_other_classes_alone() -> None:
    scores = torch.tensor([[0.9, 0.0], [0.8, 0.0], [0.7, 0.0], [0.0, 0.1]])
    found = Selection(score_threshold=0.0, nms_iou=0.5, per_class=2)(APART, scores)
    assert found.labels.tolist() == [0, 0, 1]


def test_the_limit_of_an_image_keeps_the_best() -> None:
    found = Selection(score_threshold=0.0, nms_iou=0.5, per_image=1)(APART, torch.tensor([[0.1], [0.2], [0.9], [0.3]]))
    assert torch.equal(found.boxes, APART[2:3])


def test_nothing_above_the_threshold_gives_empty_detections() -> None:
    found = Selection(score_threshold=0.5, candidates=2, nms_iou=0.5, per_class=3)(APART, torch.zeros(4, 2))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == found.labels.shape == (0,)
