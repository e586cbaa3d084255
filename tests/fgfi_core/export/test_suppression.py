"""The selection as an ONNX graph against the selection in torch, on boxes that crowd each other."""

import onnxruntime
import pytest
import torch
from torch import Tensor

from fgfi_core.detectors import Selection
from fgfi_core.export import suppression

IR_VERSION = 8

SELECTIONS = {
    "no limit": Selection(score_threshold=0.3, nms_iou=0.5),
    "best of each class": Selection(score_threshold=0.1, candidates_per_class=20, nms_iou=0.5),
    "best of all": Selection(score_threshold=0.1, candidates=30, nms_iou=0.5),
    "most of each class": Selection(score_threshold=0.1, nms_iou=0.5, per_class=5),
    "most of an image": Selection(score_threshold=0.1, nms_iou=0.5, per_image=7),
    "every limit": Selection(
        score_threshold=0.05, candidates_per_class=40, candidates=60, nms_iou=0.4, per_class=6, per_image=12
    ),
    "limits beyond what there is": Selection(
        score_threshold=0.0, candidates_per_class=10**6, candidates=10**6, nms_iou=0.3, per_class=10**6, per_image=10**6
    ),
    "threshold above all": Selection(score_threshold=2.0, nms_iou=0.5, per_image=10),
}


def scene(seed: int, images: int, anchors: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(images, anchors, 2, generator=generator) * 200
    size = 20 + torch.rand(images, anchors, 2, generator=generator) * 80
    return torch.cat([corner, corner + size], -1), torch.rand(images, anchors, classes, generator=generator)


def run(selection: Selection, boxes: Tensor, scores: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    graph = suppression.graph(selection, boxes.shape[1], scores.shape[2], IR_VERSION)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(
        ["boxes", "scores", "labels", "count"], {"all_boxes": boxes.numpy(), "all_scores": scores.numpy()}
    )
    found, score, label, count = (torch.from_numpy(output) for output in outputs)
    for i, n in enumerate(count.tolist()):
        assert not found[i, n:].any()
        assert not score[i, n:].any()
        assert bool((label[i, n:] == -1).all())
    return [(found[i, :n], score[i, :n], label[i, :n]) for i, n in enumerate(count.tolist())]


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("name", SELECTIONS)
def test_graph_selects_what_torch_selects(name: str, classes: int) -> None:
    selection = SELECTIONS[name]
    boxes, scores = scene(seed=classes, images=3, anchors=120, classes=classes)
    for got, b, s in zip(run(selection, boxes, scores), boxes, scores, strict=True):
        for a, wanted in zip(got, selection(b, s), strict=True):
            assert torch.equal(a, wanted)


def test_scores_at_the_threshold_are_left_out_as_in_torch() -> None:
    selection = Selection(score_threshold=0.5, nms_iou=0.5)
    boxes = torch.tensor([[[0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 60.0, 60.0]]])
    scores = torch.tensor([[[0.5], [0.75]]])
    ((found, score, _),) = run(selection, boxes, scores)
    assert score.tolist() == selection(boxes[0], scores[0]).scores.tolist() == [0.75]
    assert torch.equal(found, boxes[0, 1:])


def test_images_of_a_batch_do_not_suppress_each_other() -> None:
    boxes = torch.tensor([[[0.0, 0.0, 10.0, 10.0]], [[0.0, 0.0, 10.0, 10.0]]])
    scores = torch.tensor([[[0.9]], [[0.8]]])
    first, second = run(Selection(score_threshold=0.1, nms_iou=0.5), boxes, scores)
    assert (first[1].tolist(), second[1].tolist()) == ([pytest.approx(0.9)], [pytest.approx(0.8)])
