"""Which network, numbers and anchors each `faster-rcnn-*` has."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fgfi_core.detectors.c4 import c4
from fgfi_core.detectors.faster_rcnn_recipe import MOBILE, PYRAMID, SINGLE_LEVEL, Recipe
from fgfi_core.detectors.fpn import SIDES, mobilenet_fpn, resnet_fpn
from fgfi_core.detectors.two_stage_parts import Parts
from fgfi_core.detectors.vgg import vgg


class Plan(NamedTuple):
    """parts: builds the network. sides: of the anchors of each map; None where shapes come from the data."""

    parts: Callable[[], Parts]
    recipe: Recipe
    sides: tuple[tuple[int, ...], ...] | None = None


_CELLS = SINGLE_LEVEL.region_size
_BY_LEVEL = tuple((side,) for side in SIDES)

PLANS: Mapping[str, Plan] = {
    "faster-rcnn-vgg16": Plan(lambda: vgg("vgg16", _CELLS), SINGLE_LEVEL),
    "faster-rcnn-vgg11": Plan(lambda: vgg("vgg11", _CELLS), SINGLE_LEVEL),
    "faster-rcnn-resnet101": Plan(lambda: c4("resnet101", 1.0), SINGLE_LEVEL),
    "faster-rcnn-resnet50": Plan(lambda: c4("resnet50", 1.0), SINGLE_LEVEL),
    "faster-rcnn-resnet101-half": Plan(lambda: c4("resnet101", 0.5), SINGLE_LEVEL),
    "faster-rcnn-resnet50-fpn": Plan(lambda: resnet_fpn("resnet50", 1.0, 256, _CELLS), PYRAMID, _BY_LEVEL),
    "faster-rcnn-resnet50-half-fpn": Plan(lambda: resnet_fpn("resnet50", 0.5, 128, _CELLS), PYRAMID, _BY_LEVEL),
    "faster-rcnn-resnet18-fpn": Plan(lambda: resnet_fpn("resnet18", 1.0, 256, _CELLS), PYRAMID, _BY_LEVEL),
    "faster-rcnn-mobilenet-v3-320-fpn": Plan(lambda: mobilenet_fpn(256, _CELLS), MOBILE, (SIDES,) * 3),
}
