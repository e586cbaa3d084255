"""How many images of a batch go through at once: the largest part that fits into memory."""

import math
from collections.abc import Callable


def largest_that_fits(batch_size: int, fits: Callable[[int], bool]) -> int:
    """The first that fits of the whole batch, its half, its quarter and so on; 1 where nothing does.

    fits: whether so many images fit, with some room to spare; asked for each size once, largest first.
    """
    parts = 1
    while True:
        size = math.ceil(batch_size / parts)
        if size == 1 or fits(size):
            return size
        parts *= 2
