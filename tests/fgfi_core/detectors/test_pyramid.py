import pytest
import torch
from torchvision.models import resnet18, resnet50
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from fgfi_core.detectors import create
from fgfi_core.detectors.pyramid import FROZEN, STRIDES, pyramid_anchors, under_detector_names


@pytest.mark.parametrize("name", ["retinanet-resnet18-fpn", "fcos-resnet18-fpn"])
def test_imagenet_weights_make_the_body_compute_what_torchvision_computes(name: str) -> None:
    classifier = resnet18().eval()
    detector = create(name, 2, (64, 64)).eval()
    left = detector.load_state_dict(dict(under_detector_names(classifier.state_dict())), strict=False)
    assert not left.unexpected_keys
    assert not [key for key in left.missing_keys if ".body." in key]

    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        ours = detector.get_submodule("model.backbone.body")(images)["2"]
        pooled = classifier.get_submodule("fc")(ours.mean(dim=(2, 3)))
        torch.testing.assert_close(pooled, classifier(images))


def test_all_of_a_resnet50_has_its_place() -> None:
    detector = create("retinanet-resnet50-fpn", 2, (64, 64))
    renamed = under_detector_names(resnet50().state_dict())
    left = detector.load_state_dict(dict(renamed), strict=False)
    assert not left.unexpected_keys
    assert not [key for key in left.missing_keys if ".body." in key]


def test_frozen_are_the_stem_and_the_first_group() -> None:
    detector = create("fcos-resnet18-fpn", 2, (64, 64))
    detector.freeze()
    free = [name for name, p in detector.named_parameters() if p.requires_grad and name.startswith("model.backbone")]
    assert not [name for name in free if name.startswith(FROZEN) or "bn" in name]
    assert [name for name in free if ".layer2." in name]


def test_anchors_are_torchvisions_where_the_strides_divide_the_image() -> None:
    generator = AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 2.0),) * 5)
    maps = [torch.zeros(1, 1, 256 // stride, 384 // stride) for stride in STRIDES]
    theirs = generator(ImageList(torch.zeros(1, 3, 256, 384), [(256, 384)]), maps)[0]
    ours = torch.cat([level.flatten(0, 2) for level in pyramid_anchors(generator, (384, 256))])
    torch.testing.assert_close(ours, theirs)


def test_anchors_keep_the_stride_where_it_does_not_divide_the_image() -> None:
    generator = AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((1.0,),) * 5)
    finest, *_, coarsest = pyramid_anchors(generator, (101, 75))
    assert finest.shape[:2] == (10, 13)
    assert finest[9, 12, 0].tolist() == [12 * 8 - 16, 9 * 8 - 16, 12 * 8 + 16, 9 * 8 + 16]
    assert coarsest.shape[:2] == (1, 1)
