"""Detectors by name."""

from collections.abc import Sequence

from fgfi_core.detectors.detector import Detector
from fgfi_core.detectors.shuffledet import WIDTHS, ShuffleDet
from fgfi_core.detectors.ssd import SSD, TRUNKS
from fgfi_core.errors import BadSpec


def create(
    name: str,
    num_classes: int,
    image_size: tuple[int, int],
    *,
    anchor_shapes: Sequence[tuple[float, float]] | None = None,
) -> Detector:
    """Build a detector with fresh weights, drawn from torch's global generator.

    image_size: (width, height) in pixels. anchor_shapes: (w, h) in pixels at that size, any number of them; None takes
    the family's own, scaled to the size. Raises `BadSpec` when there is no such detector or an argument is impossible.
    """
    if num_classes < 1:
        raise BadSpec(f"num_classes is {num_classes}: a detector needs at least one class.")
    if anchor_shapes is not None and (len(anchor_shapes) == 0 or min(min(shape) for shape in anchor_shapes) <= 0):
        raise BadSpec("anchor_shapes needs at least one shape, and every width and height above 0.")
    shapes = None if anchor_shapes is None else tuple((float(w), float(h)) for w, h in anchor_shapes)
    if name in TRUNKS:
        return SSD(name, num_classes, image_size, shapes, TRUNKS[name])
    if name in WIDTHS:
        return ShuffleDet(name, num_classes, image_size, shapes, WIDTHS[name])
    raise BadSpec(f"There is no detector '{name}'.", hint=f"Known: {', '.join([*TRUNKS, *WIDTHS])}.")
