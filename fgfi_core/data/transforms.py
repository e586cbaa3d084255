"""Augmentation of one image and its boxes; every part keeps the boxes true.

Images here are [H, W, 3] uint8 RGB at the size they have in the network's input, without padding, boxes [G, 4] float32
xyxy pixels of it. All randomness comes from the generator that is passed in, and each image draws the same count of
numbers whatever is switched on, so switching one part off leaves the others as they were.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fgfi_core.data.frame import FILL
from fgfi_core.spec import Augmentation

# 150 and 100 pixels at 1248x384, the paper's recipe for KITTI.
MAX_SHIFT = (150 / 1248, 100 / 384)
BRIGHTNESS = 50 / 255
CONTRAST = (0.5, 1.5)
SATURATION = (0.3, 1.7)
# Rec. 601 luma.
GREY = np.array([0.299, 0.587, 0.114])

Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]


class Colour(NamedTuple):
    """A change of colour as `matrix [3, 3] @ pixel + offset`, from 0..255 to 0..1."""

    matrix: NDArray[np.float32]
    offset: float


class Augmented(NamedTuple):
    """An augmented image, its boxes, and the change of colour that is still to be applied."""

    image: Image
    boxes: Boxes
    colour: Colour


def augment(image: Image, boxes: Boxes, which: Augmentation, rng: np.random.Generator) -> Augmented:
    """Shift, flip and change colours, each as `which` says."""
    dx, dy, side, brightness, contrast, saturation = rng.random(6)
    if which.shift:
        image, boxes = shift(image, boxes, dx, dy)
    if which.flip and side < 0.5:
        image, boxes = flip(image, boxes)
    if not which.photometric:
        return Augmented(image, boxes, NO_CHANGE)
    colour = photometric(
        image,
        brightness=(2 * brightness - 1) * BRIGHTNESS,
        contrast=CONTRAST[0] + contrast * (CONTRAST[1] - CONTRAST[0]),
        saturation=SATURATION[0] + saturation * (SATURATION[1] - SATURATION[0]),
    )
    return Augmented(image, boxes, colour)


def flip(image: Image, boxes: Boxes) -> tuple[Image, Boxes]:
    """Mirror left and right."""
    flipped = boxes.copy()
    flipped[:, 0], flipped[:, 2] = image.shape[1] - boxes[:, 2], image.shape[1] - boxes[:, 0]
    # Twenty times as fast as numpy copying its reversed view.
    return torch.flip(torch.from_numpy(image), [1]).numpy(), flipped


def shift(image: Image, boxes: Boxes, across: float, down: float) -> tuple[Image, Boxes]:
    """Move the upper left corner: inwards as far as no box is cut, or outwards; then resize back to the same size.

    across, down: in [0, 1), from MAX_SHIFT outwards to MAX_SHIFT (or the first box) inwards. The lower right corner
    stays, so nothing is cut there.
    """
    height, width = image.shape[:2]
    free = np.floor(boxes[:, :2].min(axis=0)) if len(boxes) else np.array([width, height])
    dx = _between(across, round(MAX_SHIFT[0] * width), int(free[0]))
    dy = _between(down, round(MAX_SHIFT[1] * height), int(free[1]))
    if dx == 0 and dy == 0:
        return image, boxes
    canvas = np.empty((height - dy, width - dx, 3), dtype=np.uint8)
    canvas[: max(-dy, 0)] = FILL
    canvas[:, : max(-dx, 0)] = FILL
    canvas[max(-dy, 0) :, max(-dx, 0) :] = image[max(dy, 0) :, max(dx, 0) :]
    scale = np.array([width / (width - dx), height / (height - dy)] * 2)
    moved = (boxes - np.array([dx, dy] * 2)) * scale
    return resize(canvas, (width, height)), _clip(moved.astype(np.float32), width, height)


def _between(u: float, largest: int, free: int) -> int:
    inwards = max(0, min(largest, free))
    return int(np.floor(u * (largest + inwards + 1))) - largest


def resize(image: Image, size: tuple[int, int]) -> Image:
    """Resize to `size` (width, height), bilinear with antialias. Torch's kernel for bytes is several times Pillow's."""
    # The permutation of [H, W, 3] is channels_last memory, for which the kernel is fastest.
    batch = torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0)
    out = functional.interpolate(batch, size=(size[1], size[0]), mode="bilinear", antialias=True)
    return np.ascontiguousarray(out[0].permute(1, 2, 0).numpy())


def _clip(boxes: Boxes, width: int, height: int) -> Boxes:
    """Take back rounding errors; boxes are inside already."""
    return np.clip(boxes, 0, np.array([width, height] * 2, dtype=np.float32))


NO_CHANGE = Colour((np.eye(3) / 255).astype(np.float32), 0.0)


def photometric(image: Image, *, brightness: float, contrast: float, saturation: float) -> Colour:
    """Brightness, then contrast about the image's mean grey, then saturation, as one affine change of each pixel.

    All three are affine, so one small product does them; values are clipped once, at the end.
    brightness: added, in units of the whole range. contrast, saturation: factors, 1 is no change.
    """
    # Sums of integers are exact, so the result depends on no count of threads.
    columns = image.reshape(image.shape[0], -1).sum(axis=0, dtype=np.uint32)
    mean = GREY @ columns.reshape(-1, 3).sum(axis=0, dtype=np.int64) / (255 * image.shape[0] * image.shape[1])
    matrix = contrast / 255 * (saturation * np.eye(3) + (1 - saturation) * GREY)
    return Colour(matrix.astype(np.float32), float(brightness + (1 - contrast) * mean))


def to_float(images: Tensor) -> Tensor:
    """[B, H, W, 3] uint8 to [B, 3, H, W] float32 in [0, 1], contiguous."""
    return images.permute(0, 3, 1, 2).contiguous().to(torch.float32).div_(255)


def clear_padding(images: Tensor, contents: Sequence[tuple[int, int]]) -> None:
    """Give the rest beside contents (width, height) its colour back, in place; images: [B, 3, H, W] in [0, 1]."""
    fill = (torch.tensor(FILL, dtype=torch.float32) / 255).view(3, 1, 1)
    for image, (width, height) in zip(images, contents, strict=True):
        image[:, height:] = fill
        image[:, :, width:] = fill


def apply_colours(images: Tensor, colours: list[Colour]) -> Tensor:
    """[B, H, W, 3] uint8 to [B, 3, H, W] float32 in [0, 1], contiguous, each image with its change of colour."""
    batch, height, width, _ = images.shape
    matrices = torch.from_numpy(np.stack([colour.matrix for colour in colours]))
    offsets = torch.tensor([colour.offset for colour in colours], dtype=torch.float32).view(batch, 1, 1)
    # Planes first: the product is several times slower on interleaved pixels.
    pixels = images.permute(0, 3, 1, 2).contiguous().to(torch.float32).view(batch, 3, height * width)
    changed = torch.baddbmm(offsets.expand(batch, 3, 1), matrices, pixels).clamp_(0, 1)
    return changed.view(batch, 3, height, width)
