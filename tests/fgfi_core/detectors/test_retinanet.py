import pytest
import torch
from torchvision.models.detection import retinanet_resnet50_fpn

from fgfi_core.detectors import Target, create

SIZE = (128, 128)
NOTHING = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def test_weights_of_torchvisions_own_retinanet_fit_and_give_its_detections() -> None:
    torch.manual_seed(0)
    theirs = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3, min_size=128, max_size=128)
    torch.nn.init.normal_(theirs.head.classification_head.cls_logits.weight, std=0.05)
    ours = create("retinanet-resnet50-fpn", 3, SIZE)
    ours.load_state_dict({f"model.{name}": tensor for name, tensor in theirs.state_dict().items()})

    image = torch.rand(3, 128, 128)
    with torch.no_grad():
        (expected,) = theirs.eval()([image])
        (found,) = ours.eval().detect(image[None])
    # The best: further down it matters that torchvision takes 1000 candidates from each map.
    best = slice(100)
    assert len(expected["boxes"]) > 100
    torch.testing.assert_close(found.boxes[best], expected["boxes"][best], rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(found.scores[best], expected["scores"][best])
    assert torch.equal(found.labels[best], expected["labels"][best])


def test_losses_are_torchvisions() -> None:
    torch.manual_seed(0)
    theirs = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3, min_size=128, max_size=128)
    ours = create("retinanet-resnet50-fpn", 3, SIZE)
    ours.load_state_dict({f"model.{name}": tensor for name, tensor in theirs.state_dict().items()})
    images = torch.rand(2, 3, 128, 128)
    targets = [Target(torch.tensor([[8.0, 8, 60, 40]]), torch.tensor([2])), NOTHING]
    with torch.no_grad():
        expected = theirs.train()(list(images), [t._asdict() for t in targets])
        found = ours.train().losses(ours.heads(ours.features(images)), targets)
    torch.testing.assert_close(found["class"], expected["classification"])
    torch.testing.assert_close(found["box"], expected["bbox_regression"])


@pytest.mark.parametrize(("stride", "sides"), [(8, (32, 40, 50)), (16, (64, 80, 101)), (128, (512, 645, 812))])
def test_anchors_have_three_octaves_of_four_strides_and_three_ratios(stride: int, sides: tuple[int, ...]) -> None:
    detector = create("retinanet-resnet18-fpn", 1, SIZE)
    level = detector.anchors()[detector.info.strides.index(stride)]
    size = level[0, 0, :, 2:] - level[0, 0, :, :2]
    assert level.shape[2] == 9
    # Torchvision's ratios are height to width, the ratio in the middle is the square.
    assert [round(side) for side in size[3:6, 0].tolist()] == [2 * round(side / 2) for side in sides]
    torch.testing.assert_close(
        size[:, 1] / size[:, 0], torch.tensor([0.5, 1, 2]).repeat_interleave(3), rtol=0.05, atol=0
    )


def test_no_class_is_background() -> None:
    detector = create("retinanet-resnet18-fpn", 1, SIZE).eval()
    outputs = detector.heads(detector.features(torch.rand(1, 3, 128, 128)))
    assert detector.class_logits(outputs).shape == (9 * (16 * 16 + 8 * 8 + 4 * 4 + 2 * 2 + 1), 1)
