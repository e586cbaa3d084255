import pytest
import torch
from torchvision.models import mobilenet_v3_large
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.detection.ssd import SSD

from fgfi_core.detectors import Detector, Target, create
from fgfi_core.detectors.ssdlite import under_detector_names

NAME = "ssdlite320-mobilenet-v3"
TARGETS = [
    Target(torch.tensor([[30.0, 40, 150, 180], [200, 10, 260, 60]]), torch.tensor([2, 0])),
    Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)),
]


@pytest.fixture(scope="module")
def theirs() -> SSD:
    """torchvision's own SSDLite, but with the tail and the normalisation of ImageNet's weights."""
    torch.manual_seed(0)
    model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=4)
    torch.manual_seed(0)
    full = create(NAME, 3, (320, 320))
    model.backbone, model.head = full.get_submodule("model.backbone"), full.get_submodule("model.head")
    model.transform.image_mean, model.transform.image_std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return model


@pytest.fixture
def ours(theirs: SSD) -> Detector:
    detector = create(NAME, 3, (320, 320))
    detector.load_state_dict({f"model.{name}": tensor for name, tensor in theirs.state_dict().items()})
    return detector


def test_names_are_torchvisions_and_only_the_tail_differs_from_its_untrained_model() -> None:
    own = {name.removeprefix("model."): tensor.shape for name, tensor in create(NAME, 3, (64, 64)).state_dict().items()}
    theirs = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=4).state_dict()
    assert own.keys() == theirs.keys()
    other = {name for name, shape in own.items() if theirs[name].shape != shape}
    tail = (
        "backbone.features.1.",
        "backbone.extra.0.0.",
        "head.classification_head.module_list.1.",
        "head.regression_head.module_list.1.",
    )
    assert all(name.startswith(tail) for name in other)


def test_losses_are_torchvisions(ours: Detector, theirs: SSD) -> None:
    images = torch.rand(2, 3, 320, 320)
    shifted = [{"boxes": target.boxes, "labels": target.labels + 1} for target in TARGETS]
    with torch.no_grad():
        expected = theirs.train()(list(images), shifted)
        found = ours.train().losses(ours.heads(ours.features(images)), TARGETS)
    torch.testing.assert_close(found["class"], expected["classification"])
    torch.testing.assert_close(found["box"], expected["bbox_regression"])


def test_detections_are_torchvisions(ours: Detector, theirs: SSD) -> None:
    torch.manual_seed(0)
    anchors = torch.cat([level.flatten(0, 2) for level in ours.anchors()])
    outputs = {"bbox_regression": torch.randn(1, len(anchors), 4), "cls_logits": 3 * torch.randn(1, len(anchors), 4)}
    (expected,) = theirs.postprocess_detections(outputs, [anchors], [(320, 320)])
    boxes, scores = ours.decode(outputs)
    found = ours.select(boxes[0], scores[0])
    assert len(expected["boxes"]) > 50
    torch.testing.assert_close(found.boxes, expected["boxes"])
    torch.testing.assert_close(found.scores, expected["scores"])
    assert torch.equal(found.labels, expected["labels"] - 1)


def test_imagenet_weights_make_the_backbone_compute_what_torchvision_computes() -> None:
    classifier = mobilenet_v3_large().eval()
    detector = create(NAME, 2, (96, 64)).eval()
    left = detector.load_state_dict(dict(under_detector_names(classifier.state_dict())), strict=False)
    assert not left.unexpected_keys
    assert not [name for name in left.missing_keys if name.startswith("model.backbone.features")]

    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        last = detector.features(images)[1]
        expected = classifier.get_submodule("features")(detector.get_submodule("normalisation")(images))
    torch.testing.assert_close(last, expected)


def test_anchors_are_shares_of_the_image() -> None:
    square, wide = (create(NAME, 1, size).anchors() for size in ((320, 320), (640, 320)))
    for one, other in zip(square, wide, strict=True):
        stretched = one[:1, :1] * torch.tensor([2.0, 1, 2, 1])
        size, other_size = (a[0, 0, :, 2:] - a[0, 0, :, :2] for a in (stretched, other))
        torch.testing.assert_close(other_size, size)


def test_background_comes_first(ours: Detector) -> None:
    outputs = {
        name: torch.zeros_like(value) for name, value in ours.heads(ours.features(torch.rand(2, 3, 320, 320))).items()
    }
    outputs["cls_logits"][..., 0] = 20.0
    _, scores = ours.decode(outputs)
    assert scores.shape[2] == 3
    assert scores.max() < 1e-6
