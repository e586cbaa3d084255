"""Pictures to look at outside the report: boxes and regions drawn over an image with Pillow."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fgfi_core.data import images
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.report.roles import GROUND_TRUTH, ROLES

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
# For classes, where roles play no part: readable on photographs, and apart for most colour-blind readers (Okabe, Ito).
PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (0, 114, 178),
)
DARK = (16, 20, 24)
MIN_SIDE = 640
# Of pictures with several panels, in pixels; panels in a row.
GAP, CAPTION, COLUMNS = 8, 28, 3


def draw_detections(
    image_path: Path, detections: ImageDetections, classes: Sequence[str], *, threshold: float = 0.0
) -> Image.Image:
    """Draw the detections from `threshold` on over the image, one colour a class. Raises BadData for a broken image."""
    image, scale = _enlarged(images.decode(image_path))
    draw = ImageDraw.Draw(image)
    # Best last, so that its box is on top; labels after all boxes, best first, so that it gets the best place.
    order = [i for i in np.argsort(detections.scores, kind="stable") if detections.scores[i] >= threshold]
    boxes = {i: _pixels(detections.boxes[i] * scale, image) for i in order}
    colours = {i: PALETTE[int(detections.labels[i]) % len(PALETTE)] for i in order}
    for i in order:
        _rectangle(draw, boxes[i], colours[i])
    taken: list[Box] = []
    for i in reversed(order):
        text = f"{classes[int(detections.labels[i])]} {detections.scores[i]:.2f}"
        taken.append(_label(draw, boxes[i], text, colours[i], taken, image.size))
    return image


def draw_region(
    image: Image.Image,
    masks: Sequence[NDArray[np.bool_]],
    boxes: NDArray[np.float32],
    captions: Sequence[str] = (),
) -> Image.Image:
    """Draw which cells were imitated: one picture a level, finest first, at most COLUMNS side by side.

    masks: [H_l, W_l] bool over the whole image. boxes: [G, 4] xyxy pixels of the image. captions: a line below each.
    """
    panels = [_region(image.convert("RGB"), mask, boxes) for mask in masks]
    width, height = panels[0].size
    step = height + (CAPTION if captions else 0) + GAP
    rows = [panels[i : i + COLUMNS] for i in range(0, len(panels), COLUMNS)]
    out = Image.new("RGB", (len(rows[0]) * (width + GAP) - GAP, len(rows) * step - GAP), DARK)
    draw = ImageDraw.Draw(out)
    for i, panel in enumerate(panels):
        x, y = i % COLUMNS * (width + GAP), i // COLUMNS * step
        out.paste(panel, (x, y))
        if captions:
            draw.text((x + 8, y + height + 6), captions[i], font=ImageFont.load_default(15), fill=GROUND_TRUTH)
    return out


def _region(image: Image.Image, mask: NDArray[np.bool_], boxes: NDArray[np.float32]) -> Image.Image:
    image, scale = _enlarged(image)
    cells = Image.fromarray(mask.astype(np.uint8) * 255).resize(image.size, Image.Resampling.NEAREST)
    dark = Image.blend(image, Image.new("RGB", image.size, DARK), 0.6)
    lit = Image.blend(image, Image.new("RGB", image.size, ROLES["imitated"].colour), 0.45)
    out = Image.composite(lit, dark, cells)
    draw = ImageDraw.Draw(out)
    for box in boxes:
        _rectangle(draw, _pixels(box * scale, out), GROUND_TRUTH)
    return out


def _enlarged(image: Image.Image) -> tuple[Image.Image, float]:
    """Small images are enlarged, so that lines and letters do not cover them."""
    scale = max(1.0, MIN_SIDE / max(image.size))
    if scale == 1.0:
        return image, scale
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC), scale


def _pixels(box: NDArray[np.float32], image: Image.Image) -> Box:
    x1, x2 = np.clip(box[[0, 2]], 0, image.width - 1)
    y1, y2 = np.clip(box[[1, 3]], 0, image.height - 1)
    return float(x1), float(y1), float(x2), float(y2)


def _rectangle(draw: ImageDraw.ImageDraw, box: Box, colour: Colour) -> None:
    draw.rectangle(box, outline=DARK, width=4)
    draw.rectangle(
        (box[0] + 1, box[1] + 1, max(box[2] - 1, box[0] + 1), max(box[3] - 1, box[1] + 1)), outline=colour, width=2
    )


def _label(
    draw: ImageDraw.ImageDraw, box: Box, text: str, colour: Colour, taken: Sequence[Box], size: tuple[int, int]
) -> Box:
    """Write the text beside its box where it covers no other label, if there is such a place; returns where."""
    font = ImageFont.load_default(13)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 6, bottom - top + 6
    corners = [(x, y) for y in (box[1] - height, box[3], box[1]) for x in (box[0], box[2] - width)]
    places = [_inside(x, y, width, height, size) for x, y in corners]
    place = next((one for one in places if not any(_overlap(one, other) for other in taken)), places[0])
    draw.rectangle(place, fill=colour)
    draw.text((place[0] + 3 - left, place[1] + 3 - top), text, font=font, fill=DARK)
    return place


def _inside(x: float, y: float, width: float, height: float, size: tuple[int, int]) -> Box:
    x, y = max(0, min(x, size[0] - width)), max(0, min(y, size[1] - height))
    return x, y, x + width, y + height


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
