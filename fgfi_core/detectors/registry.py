"""Detectors by name."""

from collections.abc import Callable, Mapping, Sequence

from fgfi_core.data.frame import Resize
from fgfi_core.detectors import faster_rcnn, fcos, retinanet, shuffledet, ssd, ssd_efficientnet, ssdlite
from fgfi_core.detectors.anchors import Shapes
from fgfi_core.detectors.detector import Detector
from fgfi_core.errors import BadSpec
from fgfi_core.spec.catalogue import DETECTORS

Build = Callable[[str, int, tuple[int, int], Shapes | None], Detector]

# By family: (name, num_classes, image_size, anchor_shapes) to a detector with fresh weights.
FAMILIES: Mapping[str, Build] = {
    "ssd-shufflenetv2": ssd.build,
    "shuffledet": shuffledet.build,
    "retinanet": retinanet.build,
    "fcos": fcos.build,
    "ssdlite": ssdlite.build,
    "ssd-efficientnet-lite0": ssd_efficientnet.build,
    "faster-rcnn-vgg": faster_rcnn.build,
    "faster-rcnn-c4": faster_rcnn.build,
    "faster-rcnn-fpn": faster_rcnn.build,
    "faster-rcnn-mobilenet-v3-fpn": faster_rcnn.build,
}


def create(
    name: str,
    num_classes: int,
    image_size: tuple[int, int],
    *,
    anchor_shapes: Sequence[tuple[float, float]] | None = None,
    resize: Resize = "stretch",
) -> Detector:
    """Build a detector with fresh weights, drawn from torch's global generator.

    image_size: (width, height) in pixels. anchor_shapes: (w, h) in pixels at that size, any number of them; None or
    none takes the family's own. resize: how its images come to their size. Raises `BadSpec` when there is no such
    detector or an argument is impossible.
    """
    if num_classes < 1:
        raise BadSpec(f"num_classes is {num_classes}: a detector needs at least one class.")
    if anchor_shapes and min(min(shape) for shape in anchor_shapes) <= 0:
        raise BadSpec("every width and height of anchor_shapes must be above 0.")
    if name not in DETECTORS:
        raise BadSpec(f"There is no detector '{name}'.", hint=f"Known: {', '.join(DETECTORS)}.")
    info = DETECTORS[name]
    if anchor_shapes and not info.anchor_shapes:
        raise BadSpec(f"'{name}' has anchor scales of its own and takes no anchor_shapes.")
    shapes = tuple((float(w), float(h)) for w, h in anchor_shapes) if anchor_shapes else None
    detector = FAMILIES[info.family](name, num_classes, image_size, shapes)
    detector.resize = resize
    return detector
