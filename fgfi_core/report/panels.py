"""Pictures in the report: each photograph is stored once, boxes and regions are drawn over it as SVG."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from fgfi_core.data import images
from fgfi_core.data.dataset import Example
from fgfi_core.report.roles import ROLES
from fgfi_core.report.samples import Sample, Shown
from fgfi_core.results import Role

LONGEST_SIDE = 640
JPEG_QUALITY = 82


def photograph(key: str, example: Example) -> Markup:
    """Return the image once, to be used by every panel of it. Raises BadData when it cannot be decoded."""
    image = images.decode(example.path)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY)
    data = base64.b64encode(out.getvalue()).decode()
    return Markup(
        '<svg class="store" aria-hidden="true"><image id="{}" width="{}" height="{}" preserveAspectRatio="none" '
        'href="data:image/jpeg;base64,{}"/></svg>'
    ).format(key, example.width, example.height, data)


def truth_panel(key: str, sample: Sample, classes: Sequence[str]) -> Markup:
    """Ground truth, difficult boxes dotted."""
    example = sample.example
    boxes = [
        _box(box, f"{classes[label]}{', difficult' if hard else ''}", "truth difficult" if hard else "truth")
        for box, label, hard in zip(example.boxes, example.labels, example.difficult, strict=True)
    ]
    return _panel(key, example, boxes, f"{len(example.labels)} labelled boxes")


def region_panel(key: str, sample: Sample, level: int) -> Markup:
    """The cells that were imitated at one level, and the labelled boxes."""
    example = sample.example
    mask = sample.region[level]
    overlay = Markup(
        '<image class="region" width="{}" height="{}" preserveAspectRatio="none" href="data:image/png;base64,{}"/>'
    ).format(example.width, example.height, _png(mask))
    boxes = [_box(box, "", "truth") for box in example.boxes]
    return _panel(key, example, [overlay, *boxes], f"imitated cells of a {mask.shape[1]} x {mask.shape[0]} map")


def detections_panel(key: str, sample: Sample, role: Role, classes: Sequence[str]) -> Markup:
    """What a role found: true detections solid, false ones dashed, missed boxes dotted."""
    shown = sample.roles[role]
    missed = [
        _box(box, f"missed {classes[label]}", "missed")
        for box, label in zip(
            sample.example.boxes[shown.verdict.missed], sample.example.labels[shown.verdict.missed], strict=True
        )
    ]
    return _panel(key, sample.example, [*missed, *_found(shown, role, classes)], f"{ROLES[role].title}'s detections")


def _found(shown: Shown, role: Role, classes: Sequence[str]) -> list[Markup]:
    boxes = []
    found, verdict = shown.found, shown.verdict
    for box, score, label, false in zip(found.boxes, found.scores, found.labels, verdict.false, strict=True):
        text = f"{'false: ' if false else ''}{classes[label]} {score:.2f}"
        boxes.append(_box(box, text, f"found {role}{' false' if false else ''}"))
    return boxes


def _panel(key: str, example: Example, over: Sequence[Markup], label: str) -> Markup:
    return Markup('<svg class="panel" viewBox="0 0 {} {}" role="img" aria-label="{}"><use href="#{}"/>{}</svg>').format(
        example.width, example.height, label, key, Markup("").join(over)
    )


def _box(box: NDArray[np.float32], title: str, kind: str) -> Markup:
    x1, y1, x2, y2 = (float(side) for side in box)
    place = Markup('x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"').format(x1, y1, x2 - x1, y2 - y1)
    # A dark line below the coloured one keeps it visible on any photograph.
    return Markup('<g class="box {}"><title>{}</title><rect class="under" {}/><rect {}/></g>').format(
        kind, title, place, place
    )


def _png(mask: NDArray[np.bool_]) -> str:
    """The mask as a picture of one pixel a cell: what is not imitated is darkened."""
    pixels = np.zeros((*mask.shape, 4), dtype=np.uint8)
    pixels[mask] = (*ROLES["imitated"].colour, 120)
    pixels[~mask] = (10, 14, 18, 150)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()
