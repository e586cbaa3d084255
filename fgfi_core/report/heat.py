"""Distance maps as pictures: one pixel a cell, a scale beside them, the imitation region outlined."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from fgfi_core.data.dataset import Example

# From near to far. Lightness rises all the way, so that it reads without hue as well.
STOPS = np.array(
    [(8, 8, 32), (66, 15, 117), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164)], dtype=np.float64
)
# Far more than this share of cells is below the end of the scale; a few outliers would darken all others.
END = 0.99


def scale_end(maps: Sequence[NDArray[np.float32]]) -> float:
    """The end of a scale that these maps share."""
    return max(float(np.quantile(np.concatenate([one.ravel() for one in maps]), END)), 1e-6)


def heat_panel(
    key: str, example: Example, distance: NDArray[np.float32], region: NDArray[np.bool_] | None, end: float, label: str
) -> Markup:
    """One map over its photograph. distance: [H, W], drawn from 0 to `end`. region: [H, W], outlined."""
    picture = Markup(
        '<image class="region heat" width="{}" height="{}" preserveAspectRatio="none" href="data:image/png;base64,{}"/>'
    ).format(example.width, example.height, _png(distance, end))
    outline = Markup("")
    if region is not None and region.any():
        path = _outline(region, example.width, example.height)
        outline = Markup('<path class="outline under" d="{}"/><path class="outline" d="{}"/>').format(path, path)
    panel = Markup('<svg class="panel" viewBox="0 0 {} {}" role="img" aria-label="{}"><use href="#{}"/>{}{}</svg>')
    return panel.format(example.width, example.height, label, key, picture, outline)


def scale_bar(end: float, number: int) -> Markup:
    """The colours from 0 to `end`. number: of the bar on its page."""
    stops = Markup("").join(
        Markup('<stop offset="{:.3f}" stop-color="rgb({:.0f} {:.0f} {:.0f})"/>').format(i / (len(STOPS) - 1), *stop)
        for i, stop in enumerate(STOPS)
    )
    return Markup(
        '<svg class="scale" viewBox="0 0 220 28" role="img" aria-label="colours from 0 to {:.2f}"><defs>'
        '<linearGradient id="heat{}">{}</linearGradient></defs>'
        '<rect width="220" height="10" rx="2" fill="url(#heat{})"/>'
        '<text x="0" y="24">0</text><text x="110" y="24" text-anchor="middle">{:.2f}</text>'
        '<text x="220" y="24" text-anchor="end">{:.2f} and more</text></svg>'
    ).format(end, number, stops, number, end / 2, end)


def _png(distance: NDArray[np.float32], end: float) -> str:
    place = np.clip(distance / end, 0, 1) * (len(STOPS) - 1)
    low = np.minimum(place.astype(int), len(STOPS) - 2)
    share = (place - low)[..., None]
    colour = STOPS[low] * (1 - share) + STOPS[low + 1] * share
    pixels = np.concatenate([colour, np.full((*distance.shape, 1), 215.0)], axis=2).round().astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def _outline(region: NDArray[np.bool_], width: int, height: int) -> str:
    """Path along all borders between cells inside and outside."""
    padded = np.pad(region, 1)
    rows, columns = region.shape
    dx, dy = width / columns, height / rows
    parts = []
    for y, x in zip(*np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1]), strict=True):
        parts.append(f"M{x * dx:.1f} {y * dy:.1f}h{dx:.1f}")
    for y, x in zip(*np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1]), strict=True):
        parts.append(f"M{x * dx:.1f} {y * dy:.1f}v{dy:.1f}")
    return "".join(parts)
