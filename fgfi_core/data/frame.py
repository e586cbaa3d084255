"""The input of a detector, and how an image of any size lies in it: where its pixels go, and where boxes come back."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Resize = Literal["stretch", "fit"]
Size = tuple[int, int]

# What no image covers becomes the mean colour of ImageNet, which every detector's normalisation makes about zero.
FILL = (124, 116, 104)


@dataclass(frozen=True)
class Frame:
    """An input of `size` (width, height) in pixels.

    resize: `stretch` fills it whatever the aspect ratio; `fit` keeps the aspect ratio: the image is as large as it can
    be, in the upper left corner, and the rest is `FILL`. All sizes here are (width, height) in pixels.
    """

    size: Size
    resize: Resize = "stretch"

    def content(self, image: Size) -> Size:
        """The size of an image of size `image` in the input; its upper left corner is the input's."""
        if self.resize == "stretch":
            return self.size
        scale = min(self.size[0] / image[0], self.size[1] / image[1])
        width, height = (max(1, min(most, round(side * scale))) for side, most in zip(image, self.size, strict=True))
        return width, height

    def to_input(self, boxes: NDArray[np.float32], image: Size) -> NDArray[np.float32]:
        """Boxes [G, 4] xyxy from pixels of an image of size `image` to pixels of the input."""
        content = self.content(image)
        return _inside(boxes * _ratio(content, image), content)

    def to_image(self, boxes: NDArray[np.float32], image: Size) -> NDArray[np.float32]:
        """Boxes [G, 4] xyxy from pixels of the input to pixels of an image of size `image`.

        What reaches into the rest of the input ends at the image's border.
        """
        back: NDArray[np.float32] = boxes * _ratio(image, self.content(image)).astype(np.float32)
        return back if self.resize == "stretch" else _inside(back, image)

    def over_image(self, cells: NDArray[Any], image: Size) -> NDArray[Any]:
        """A map [H, W] over the input as one over an image of size `image` alone: its cells there, for pictures.

        Each cell of the result is the one of the map that its centre lies in.
        """
        picked = []
        for length, whole, part in zip(cells.shape, self.size[::-1], self.content(image)[::-1], strict=True):
            count = max(1, round(length * part / whole))
            centres = (np.arange(count) + 0.5) / count * part / whole
            picked.append(np.minimum((centres * length).astype(np.int64), length - 1))
        return cells[np.ix_(*picked)]


def padded(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """The image in the upper left corner of one of `size` (width, height), the rest `FILL`."""
    if image.shape[:2] == size[::-1]:
        return image
    whole = np.empty((size[1], size[0], 3), dtype=np.uint8)
    whole[:] = FILL
    whole[: image.shape[0], : image.shape[1]] = image
    return whole


def _ratio(wanted: Size, given: Size) -> NDArray[np.float64]:
    return np.array([wanted[0] / given[0], wanted[1] / given[1]] * 2)


def _inside(boxes: NDArray[Any], size: Size) -> NDArray[np.float32]:
    """Take back what lies outside, rounding errors included."""
    return np.clip(boxes.astype(np.float32), 0, np.array(size * 2, dtype=np.float32))
