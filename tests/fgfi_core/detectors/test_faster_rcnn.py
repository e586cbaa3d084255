"""Faster R-CNN against torchvision's own, and what only two stages have."""

import dataclasses
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn, fasterrcnn_resnet50_fpn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import MultiScaleRoIAlign, box_iou

from fgfi_core.detectors import Detections, Detector, Target, create, num_anchor_shapes
from fgfi_core.detectors.c4 import c4
from fgfi_core.detectors.faster_rcnn import DELTA_WEIGHTS, FasterRCNN
from fgfi_core.detectors.faster_rcnn_plans import PLANS
from fgfi_core.detectors.fpn import resnet_fpn
from fgfi_core.export.measure import parity
from fgfi_core.imitation import estimate_region

SIZE = (128, 64)
SHAPES = [(12.0, 12.0), (30.0, 24.0), (20.0, 44.0)]
C4, FPN, MOBILE = "faster-rcnn-resnet101-half", "faster-rcnn-resnet50-half-fpn", "faster-rcnn-mobilenet-v3-320-fpn"
NOTHING = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
PICTURES = (
    Target(torch.tensor([[8.0, 8, 40, 32], [56, 20, 76, 60]]), torch.tensor([0, 2])),
    Target(torch.tensor([[20.0, 30, 34, 44]]), torch.tensor([1])),
)
DRAWING = (96, 64)
STEPS = 60
COLOURS = torch.tensor([[1.0, 0.2, 0.2], [0.2, 1.0, 0.2], [0.2, 0.2, 1.0]])


def fresh(name: str) -> FasterRCNN:
    torch.manual_seed(0)
    detector = create(name, 3, SIZE, anchor_shapes=SHAPES if num_anchor_shapes(name) else None)
    assert isinstance(detector, FasterRCNN)
    return detector


def outspoken(name: str) -> FasterRCNN:
    """In eval mode; its heads say something different of every anchor and every region."""
    detector = fresh(name)
    with torch.no_grad():
        for _ in range(3):
            detector.train().features(torch.rand(4, 3, *SIZE[::-1]))
        for layer in detector.rpn.head.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.03)
        nn.init.normal_(detector.roi_heads.box_predictor.cls_score.weight, std=0.1)
    return detector.eval()


def pictures(count: int = 2) -> Tensor:
    coarse = torch.rand((count, 3, 8, 16), generator=torch.Generator().manual_seed(1))
    return nn.functional.interpolate(coarse, size=SIZE[::-1], mode="bilinear")


def draw(targets: tuple[Target, ...]) -> Tensor:
    """Rectangles in their class's colour on grey noise."""
    images = 0.5 + 0.1 * torch.rand((len(targets), 3, *DRAWING[::-1]), generator=torch.Generator().manual_seed(0))
    for image, target in zip(images, targets, strict=True):
        for box, label in zip(target.boxes.int().tolist(), target.labels, strict=True):
            image[:, box[1] : box[3], box[0] : box[2]] = COLOURS[label, :, None, None]
    return images


def torchvision_detections(detector: FasterRCNN, images: Tensor, anchors: nn.Module, levels: int) -> list[Detections]:
    """Of torchvision's two stages around this detector's weights and maps."""
    recipe = detector.recipe
    named = OrderedDict((str(i), features) for i, features in enumerate(detector.features(images)))
    proposals = RegionProposalNetwork(
        anchors,
        detector.rpn.head,
        0.7,
        0.3,
        256,
        0.5,
        {"training": 0, "testing": recipe.test_before_nms},
        {"training": 0, "testing": recipe.test_after_nms},
        0.7,
        recipe.proposal_score,
    ).eval()
    pooling = MultiScaleRoIAlign([str(i) for i in range(levels)], 7, 2)
    box_head, predictor = detector.roi_heads.box_head, detector.roi_heads.box_predictor
    regions = RoIHeads(pooling, box_head, predictor, 0.5, 0.5, 256, 0.25, DELTA_WEIGHTS, 0.05, 0.3, 100).eval()
    sizes = [SIZE[::-1]] * len(images)
    boxes, _ = proposals(ImageList(images, sizes), named)
    found, _ = regions(named, boxes, sizes)
    return [Detections(one["boxes"], one["scores"], one["labels"] - 1) for one in found]


def assert_equal_detections(detector: FasterRCNN, anchors: nn.Module, levels: int) -> None:
    images = pictures()
    with torch.no_grad():
        theirs = iter(torchvision_detections(detector, images, anchors, levels))
        compared = parity(detector.detect, lambda _: [next(theirs)], images)
    assert compared.detections > 20
    assert compared.alone == 0
    assert compared.max_box_difference < 1e-2
    assert compared.max_score_difference < 1e-4


def test_a_pyramid_finds_what_torchvision_finds() -> None:
    sides = tuple((side,) for side in (32, 64, 128, 256, 512))
    assert_equal_detections(outspoken(FPN), AnchorGenerator(sides, ((0.5, 1.0, 2.0),) * 5), levels=4)


def test_a_single_level_finds_what_torchvision_finds() -> None:
    detector = outspoken(C4)
    assert_equal_detections(detector, detector.rpn.anchor_generator, levels=1)


def test_the_mobile_one_scores_as_torchvision_does() -> None:
    detector, images = outspoken(MOBILE), pictures()
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, ((0.5, 1.0, 2.0),) * 3)
    with torch.no_grad():
        for ours, theirs in zip(
            detector.detect(images), torchvision_detections(detector, images, anchors, 2), strict=True
        ):
            # Not the boxes: regions below a cell of stride 32 look all the same, and which of equals is kept is open.
            assert len(ours.scores) > 20
            torch.testing.assert_close(ours.scores, theirs.scores)


def test_its_names_and_shapes_are_those_of_torchvisions_model() -> None:
    ours = create("faster-rcnn-resnet50-fpn", 90, (128, 128)).state_dict()
    theirs = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=91).state_dict()
    assert {name: tensor.shape for name, tensor in ours.items()} == {name: t.shape for name, t in theirs.items()}


def test_the_mobile_ones_names_and_shapes_are_those_of_torchvisions_model() -> None:
    ours = create(MOBILE, 90, (128, 128)).state_dict()
    theirs = fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=91).state_dict()
    assert {name: tensor.shape for name, tensor in ours.items()} == {name: t.shape for name, t in theirs.items()}


@pytest.mark.parametrize(
    ("box", "best", "cells"),
    [
        ((100, 100, 300, 300), 0.616470, 179),
        ((0, 0, 60, 40), 0.161480, 40),
        ((400, 200, 799, 599), 0.610352, 628),
        ((20, 300, 120, 560), 0.587535, 109),
    ],
)
def test_the_default_anchors_are_those_of_the_published_detector(
    box: tuple[float, ...], best: float, cells: int
) -> None:
    # The published boxes include their last pixel, ours end after it.
    truth = torch.tensor([box], dtype=torch.float32) + torch.tensor([0.0, 0, 1, 1])
    (anchors,) = create(C4, 3, (800, 592)).anchors()
    assert box_iou(truth, anchors.flatten(0, 2)).max().item() == pytest.approx(best, abs=1e-6)
    assert estimate_region(anchors, truth, 0.5).sum().item() == cells


SHALLOW = {C4: lambda: c4("resnet50", 0.5), FPN: lambda: resnet_fpn("resnet18", 0.5, 128, 7)}


@pytest.mark.parametrize("name", SHALLOW)
def test_two_pictures_are_learnt_by_heart_and_their_objects_found(name: str) -> None:
    torch.manual_seed(0)
    # The same with fewer layers and regions, for quick steps.
    recipe = dataclasses.replace(PLANS[name].recipe, region_samples=32, train_after_nms=200)
    plan = PLANS[name]._replace(parts=SHALLOW[name], recipe=recipe)
    detector, images = FasterRCNN(name, 3, DRAWING, None if plan.sides else SHAPES, plan), draw(PICTURES)
    optimizer = torch.optim.Adam(detector.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=STEPS)
    losses = []
    for _ in range(STEPS):
        terms = detector.losses(detector.heads(detector.features(images), PICTURES), PICTURES)
        loss = torch.stack(list(terms.values())).sum()
        losses.append(loss.item())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(detector.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    assert losses[-1] < losses[0] / 5

    with torch.no_grad():
        for _ in range(30):
            detector.features(images)
        for target, found in zip(PICTURES, detector.eval().detect(images), strict=True):
            sure = found.scores > 0.5
            assert set(found.labels[sure].tolist()) == set(target.labels.tolist())
            same = target.labels[:, None] == found.labels[sure]
            assert ((box_iou(target.boxes, found.boxes[sure]) > 0.5) & same).any(dim=1).all()


@pytest.mark.parametrize("name", [C4, FPN])
def test_training_looks_at_true_boxes_and_at_no_image_without_any(name: str) -> None:
    detector = fresh(name)
    outputs = detector.heads(detector.features(pictures()), (PICTURES[0], NOTHING))
    own = outputs["regions"][:, 0] == 0
    assert set(outputs["region_labels"][own].tolist()) == {0, 1, 3}
    assert set(outputs["region_labels"][~own].tolist()) == {0}
    truth = outputs["regions"][own & (outputs["region_labels"] > 0), 1:]
    assert (box_iou(PICTURES[0].boxes, truth).amax(dim=1) > 0.99).all()


def test_a_box_beyond_every_anchor_makes_no_anchor_a_positive() -> None:
    torch.manual_seed(0)
    detector = create(C4, 3, SIZE, anchor_shapes=[(4.0, 4.0)])
    corner = (Target(torch.tensor([[15.0, 15, 17, 17]]), torch.tensor([0])),)
    outputs = detector.heads(detector.features(pictures(1)), corner)
    assert detector.losses(outputs, corner)["rpn_box"] == 0


def test_labels_of_soft_targets_belong_to_the_same_regions() -> None:
    student, teacher = fresh(C4), outspoken(FPN)
    images = pictures()
    outputs = student.heads(student.features(images), PICTURES)
    with torch.no_grad():
        maps = teacher.features(images)
        wanted = teacher.class_logits_like(maps, outputs, (1.0, 1.0))
        row = 3
        region = outputs["regions"][row : row + 1]
        pooled = teacher.roi_heads.box_roi_pool(maps, region)
        alone, _ = teacher.roi_heads.box_predictor(teacher.roi_heads.box_head(pooled))
    assert wanted.shape == student.class_logits(outputs).shape
    torch.testing.assert_close(wanted[row], alone[0], rtol=1e-3, atol=1e-4)


def test_regions_are_scaled_to_the_other_detectors_input() -> None:
    detector = outspoken(FPN)
    images = pictures()
    half = {"regions": torch.tensor([[0.0, 4, 4, 20, 16], [1, 30, 10, 60, 30]])}
    whole = {"regions": half["regions"] * torch.tensor([1.0, 2, 2, 2, 2])}
    with torch.no_grad():
        maps = detector.features(images)
        scaled = detector.class_logits_like(maps, half, (2.0, 2.0))
        torch.testing.assert_close(scaled, detector.class_logits_like(maps, whole, (1.0, 1.0)))


@pytest.mark.parametrize("name", [C4, FPN])
def test_its_own_regions_give_its_own_logits(name: str) -> None:
    detector = outspoken(name)
    with torch.no_grad():
        maps = detector.features(pictures())
        for outputs in (detector.heads(maps), detector.heads(maps, PICTURES)):
            logits = detector.class_logits(outputs)
            torch.testing.assert_close(detector.class_logits_like(maps, outputs, (1.0, 1.0)), logits)


def test_what_is_no_proposal_scores_nothing() -> None:
    detector = outspoken(C4)
    with torch.no_grad():
        outputs = detector.heads(detector.features(pictures()))
        _, scores = detector.decode(outputs)
    padding = ~outputs["valid"]
    assert padding.any()
    by_region = scores.view(2, -1, 3, 3)
    assert by_region[padding].eq(0).all()
    assert by_region[~padding].sum() > 0


def test_a_row_of_decoded_scores_is_one_region_and_one_class() -> None:
    detector = outspoken(C4)
    with torch.no_grad():
        outputs = detector.heads(detector.features(pictures()))
        boxes, scores = detector.decode(outputs)
    assert boxes.shape == (2, 3 * outputs["proposals"].shape[1], 4)
    row, label = torch.nonzero(scores[0], as_tuple=True)
    assert len(row) > 10
    assert torch.equal(row % 3, label)
    softmax = outputs["logits"][0].softmax(dim=1)[:, 1:]
    torch.testing.assert_close(scores[0, row, label], softmax[row // 3, label])


def stays(detector: Detector) -> set[str]:
    return {name.split(".weight")[0] for name, p in detector.named_parameters() if not p.requires_grad and p.ndim > 1}


def test_the_first_two_blocks_of_vgg_stay_as_imagenet_made_them() -> None:
    detector = fresh("faster-rcnn-vgg11")
    detector.freeze()
    assert stays(detector) == {"backbone.0", "backbone.3"}


def test_stem_and_first_group_of_a_resnet_stay_and_so_do_all_norms() -> None:
    detector = fresh("faster-rcnn-resnet18-fpn").train()
    detector.freeze()
    assert stays(detector) == {"backbone.body.conv1"} | {
        f"backbone.body.layer1.{unit}.conv{conv}" for unit in (0, 1) for conv in (1, 2)
    }
    norms = [module for module in detector.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training or norm.weight.requires_grad for norm in norms)


def test_without_imagenet_weights_nothing_stays() -> None:
    detector = fresh(C4)
    detector.freeze()
    assert stays(detector) == set()


def test_an_image_has_the_same_detections_alone_and_in_a_batch() -> None:
    detector, images = outspoken(FPN), pictures()
    with torch.no_grad():
        together = detector.detect(images)
        for image, found in zip(images, together, strict=True):
            (alone,) = detector.detect(image[None])
            torch.testing.assert_close(alone.scores, found.scores, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(alone.boxes, found.boxes, rtol=1e-4, atol=1e-2)
