import pytest
import torch
from torchvision.models.detection import fcos_resnet50_fpn

from fgfi_core.detectors import Detector, Target, create
from fgfi_core.imitation.region import estimate_regions

SIZE = (128, 128)


@pytest.fixture
def detector() -> Detector:
    torch.manual_seed(0)
    return create("fcos-resnet18-fpn", 3, (256, 256)).eval()


def zeros(detector: Detector) -> dict[str, torch.Tensor]:
    count = sum(level.shape[0] * level.shape[1] for level in detector.anchors())
    return {
        "cls_logits": torch.zeros(1, count, 3),
        "bbox_regression": torch.zeros(1, count, 4),
        "bbox_ctrness": torch.zeros(1, count, 1),
    }


def test_weights_of_torchvisions_own_fcos_fit_and_give_its_losses_and_boxes() -> None:
    torch.manual_seed(0)
    theirs = fcos_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3, min_size=128, max_size=128)
    torch.nn.init.normal_(theirs.head.classification_head.cls_logits.bias, std=1.0)
    ours = create("fcos-resnet50-fpn", 3, SIZE)
    ours.load_state_dict({f"model.{name}": tensor for name, tensor in theirs.state_dict().items()})

    images = torch.rand(2, 3, 128, 128)
    targets = [
        Target(torch.tensor([[8.0, 8, 60, 40]]), torch.tensor([2])),
        Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)),
    ]
    with torch.no_grad():
        expected = theirs.train()(list(images), [t._asdict() for t in targets])
        found = ours.train().losses(ours.heads(ours.features(images)), targets)
        detections = theirs.eval()([images[0]])[0]
        boxes, scores = ours.eval().decode(ours.heads(ours.features(images[:1])))
    torch.testing.assert_close(
        list(found.values()), [expected[k] for k in ("classification", "bbox_regression", "bbox_ctrness")]
    )
    best = detections["scores"].argmax()
    anchor, label = divmod(int(scores[0].argmax()), 3)
    assert label == detections["labels"][best]
    torch.testing.assert_close(scores[0, anchor, label], detections["scores"][best])
    torch.testing.assert_close(boxes[0, anchor], detections["boxes"][best], rtol=1e-4, atol=1e-3)


def test_distances_of_zero_decode_to_the_points_in_the_order_of_the_anchors(detector: Detector) -> None:
    boxes, _ = detector.decode(zeros(detector))
    anchors = torch.cat([level.flatten(0, 2) for level in detector.anchors()])
    center = (anchors[:, :2] + anchors[:, 2:]) / 2
    torch.testing.assert_close(boxes[0], torch.cat((center, center), dim=1))


def test_a_fresh_detector_predicts_about_the_square_of_each_point(detector: Detector) -> None:
    with torch.no_grad():
        distances = detector.heads(detector.features(torch.rand(1, 3, 256, 256)))["bbox_regression"]
    assert distances.min() > 0
    assert abs(distances.mean() - 4) < 0.5


def test_the_score_is_the_geometric_mean_of_class_and_centerness(detector: Detector) -> None:
    outputs = zeros(detector)
    outputs["cls_logits"][0, 5, 1] = 50.0
    _, scores = detector.decode(outputs)
    assert scores[0, 5].tolist() == pytest.approx([0.5, 0.5**0.5, 0.5])


@pytest.mark.parametrize(("side", "level"), [(48, 0), (64, 0), (128, 1), (200, 2), (250, 2)])
def test_the_region_of_a_box_lies_around_its_centre_and_on_the_map_of_its_size(
    detector: Detector, side: int, level: int
) -> None:
    box = torch.tensor([[128 - side / 2, 128 - side / 2, 128 + side / 2, 128 + side / 2]])
    regions = estimate_regions(detector.anchors(), [box], 0.8, "joint")
    cells = [int(region.sum()) for region in regions]
    assert cells.index(max(cells)) == level

    rows, columns = regions[level][0].nonzero(as_tuple=True)
    stride = detector.info.strides[level]
    assert rows.float().mean() * stride == columns.float().mean() * stride == pytest.approx(128)
    assert rows.max() * stride < 128 + side / 2
    assert bool(regions[level][0, 128 // stride, 128 // stride])
