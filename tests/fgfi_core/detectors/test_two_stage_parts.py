"""Backbones and box heads of Faster R-CNN, with the weights of torchvision's own networks."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large, resnet18, resnet50, vgg11
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.feature_extraction import create_feature_extractor

from fgfi_core.detectors.c4 import c4
from fgfi_core.detectors.fpn import fpn_anchors, mobilenet_fpn, resnet_fpn
from fgfi_core.detectors.two_stage_parts import Parts
from fgfi_core.detectors.vgg import vgg


class Loaded(nn.Module):
    """Parts under the names that they have in a detector, with all that torchvision's network has for them."""

    backbone: nn.Module
    roi_heads: Any

    def __init__(self, parts: Parts, network: nn.Module) -> None:
        super().__init__()
        self.backbone = parts.backbone
        self.roi_heads = nn.Module()
        self.roi_heads.box_head = parts.box_head
        missing, unexpected = self.load_state_dict(dict(parts.under_own_names(network.state_dict())), strict=False)
        assert unexpected == []
        self.missing = missing
        self.eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand((2, 3, 64, 96), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_vgg_is_torchvisions_before_its_last_pool_and_its_last_layer(images: Tensor) -> None:
    torch.manual_seed(0)
    network: Any = vgg11(weights=None).eval()
    loaded = Loaded(vgg("vgg11", 7), network)
    assert loaded.missing == []
    torch.testing.assert_close(loaded.backbone(images), network.features[:-1](images))
    pooled = torch.rand(2, 512, 7, 7)
    torch.testing.assert_close(loaded.roi_heads.box_head(pooled), network.classifier[:-1](pooled.flatten(1)))


@torch.no_grad()
def test_c4_is_a_resnet_in_two_pieces(images: Tensor) -> None:
    network = resnet50(weights=None).eval()
    loaded = Loaded(c4("resnet50", 1.0), network)
    assert loaded.missing == []
    network.fc = nn.Identity()
    torch.testing.assert_close(loaded.roi_heads.box_head(loaded.backbone(images)), network(images))


@torch.no_grad()
def test_a_resnets_pyramid_is_torchvisions(images: Tensor) -> None:
    network = resnet18(weights=None).eval()
    loaded = Loaded(resnet_fpn("resnet18", 1.0, 256, 7), network)
    assert all(not name.startswith("backbone.body.") for name in loaded.missing)
    reference = resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, norm_layer=nn.BatchNorm2d, trainable_layers=5
    ).eval()
    reference.load_state_dict(loaded.backbone.state_dict())
    torch.testing.assert_close(loaded.backbone(images), reference(images))


@torch.no_grad()
def test_the_mobile_pyramid_reads_torchvisions_mobilenet(images: Tensor) -> None:
    network = mobilenet_v3_large(weights=None).eval()
    loaded = Loaded(mobilenet_fpn(256, 7), network)
    assert all(not name.startswith("backbone.body.") for name in loaded.missing)
    (expected,) = create_feature_extractor(network, {"features.16": "last"})(images).values()
    torch.testing.assert_close(loaded.backbone.get_submodule("body")(images)["1"], expected)


def test_anchors_keep_the_stride_where_it_does_not_divide_the_side() -> None:
    (anchors,) = fpn_anchors([(32,)], [64], (150, 70))
    centers = (anchors[..., :2] + anchors[..., 2:]) / 2
    assert centers[:, :, 0].tolist() == [[[0, 0], [64, 0], [128, 0]], [[0, 64], [64, 64], [128, 64]]]
