"""What a detector found in one image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ImageDetections:
    """What was found in one image, in any order.

    boxes: [N, 4] float32 xyxy, continuous pixels of the original image. scores: [N] float32. labels: [N] int64.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


NOTHING = ImageDetections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
