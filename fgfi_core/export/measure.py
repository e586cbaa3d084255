"""What an exported file is worth: does it find what the trained detector finds, and how fast."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from fgfi_core.detectors import Detections

# Images [B, 3, H, W] float32 RGB in [0, 1], on the CPU, to the detections of each.
DetectFn = Callable[[Tensor], list[Detections]]

PARTNER_PIXELS = 8.0  # boxes further apart are not the same detection
LARGEST_BOX_DIFFERENCE = 0.1  # pixels
LARGEST_SCORE_DIFFERENCE = 1e-3
LARGEST_ALONE = 0.005

WARM_UP_ROUNDS = 3
LEAST_ROUNDS = 5
MOST_ROUNDS = 50
SECONDS = 2.0


@dataclass(frozen=True)
class Parity:
    """How an exported file's detections compare with the trained detector's.

    detections: of both together. alone: those without a partner in the other, which is each other's nearest box of the
    same class. moved: partners whose boxes or scores differ by more than rounding. max_box_difference: pixels of the
    input, over partners; max_score_difference likewise.
    """

    detections: int
    alone: int
    moved: int
    max_box_difference: float
    max_score_difference: float

    @property
    def holds(self) -> bool:
        """Whether the file may be delivered.

        Two boxes whose overlap is within rounding of the suppression's threshold may go either way, and take the
        neighbours they suppress along; where they hardly differ, each other's is the other's partner. So one detection
        in two hundred may be alone or have moved.
        """
        return self.alone + 2 * self.moved <= LARGEST_ALONE * self.detections


def parity(trained: DetectFn, exported: DetectFn, images: Tensor) -> Parity:
    """Compare on images [N, 3, H, W], one at a time."""
    detections = partners = moved = 0
    box_difference = score_difference = 0.0
    for image in images.split(1):  # type: ignore[no-untyped-call]  # torch publishes no types for split
        (ours,), (theirs,) = trained(image), exported(image)
        detections += len(ours.scores) + len(theirs.scores)
        boxes, scores = _differences(ours, theirs)
        partners += len(boxes)
        moved += int(((boxes > LARGEST_BOX_DIFFERENCE) | (scores > LARGEST_SCORE_DIFFERENCE)).sum())
        box_difference = max([box_difference, *boxes.tolist()])
        score_difference = max([score_difference, *scores.tolist()])
    return Parity(detections, detections - 2 * partners, moved, box_difference, score_difference)


def latency(detect: DetectFn, image: Tensor) -> float:
    """Median milliseconds of one image [1, 3, H, W], after a warm-up; about two seconds of rounds."""
    for _ in range(WARM_UP_ROUNDS):
        detect(image)
    seconds: list[float] = []
    while len(seconds) < LEAST_ROUNDS or (sum(seconds) < SECONDS and len(seconds) < MOST_ROUNDS):
        start = time.perf_counter()
        detect(image)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _differences(ours: Detections, theirs: Detections) -> tuple[Tensor, Tensor]:
    """Box and score differences of the partners, [P] each."""
    if len(ours.scores) == 0 or len(theirs.scores) == 0:
        return torch.zeros(0), torch.zeros(0)
    distance = (ours.boxes[:, None] - theirs.boxes).abs().amax(-1)
    distance = distance.where(ours.labels[:, None] == theirs.labels, torch.inf)
    nearest, other_nearest = distance.argmin(1), distance.argmin(0)
    index = torch.arange(len(nearest))
    mine = index[(other_nearest[nearest] == index) & (distance[index, nearest] <= PARTNER_PIXELS)]
    its = nearest[mine]
    return distance[mine, its], (ours.scores[mine] - theirs.scores[its]).abs()
