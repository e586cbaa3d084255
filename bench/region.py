"""How much faster the factorised region is than a loop over boxes with a full IoU matrix each.

python -m bench.region [--rounds 30] [--threads 1 2]
"""

import argparse
import os
import sys
from functools import partial

import torch
from torch import Tensor

from bench.looped import looped_region
from bench.timing import interleaved, report
from fgfi_core.environment import training_environment
from fgfi_core.imitation import RegionEstimator

# (name, image width, height, columns, rows, anchor sides)
GRIDS = (
    ("320x240, 20x15 cells", 320, 240, 20, 15, (28, 64, 128)),
    ("800x592, 50x37 cells", 800, 592, 50, 37, (128, 256, 512)),
    ("1248x384, 78x24 cells", 1248, 384, 78, 24, (40, 110, 250)),
)
BATCH = 8
BOXES = (4, 12, 40)
THRESHOLD = 0.5


def main() -> None:
    """Print a row for each grid and number of boxes an image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    print(f"Region of {BATCH} images, 9 anchors a cell, psi {THRESHOLD}; median milliseconds of {arguments.rounds}")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for name, width, height, columns, rows, sides in GRIDS:
            anchors = _anchors(columns, rows, sides)
            estimator = RegionEstimator([anchors])
            for count in BOXES:
                boxes = _boxes(width, height, count)
                _check(anchors, boxes, estimator)
                times = interleaved(
                    arguments.rounds, partial(_loops, anchors, boxes), partial(estimator, boxes, THRESHOLD)
                )
                report(f"{name}, {count} boxes, threads {threads}", "loop", "factorised", times)


def _loops(anchors: Tensor, images: list[Tensor]) -> Tensor:
    return torch.stack([looped_region([anchors], boxes, THRESHOLD)[0] for boxes in images])


def _check(anchors: Tensor, boxes: list[Tensor], estimator: RegionEstimator) -> None:
    (mask,) = estimator(boxes, THRESHOLD)
    if not torch.equal(mask, _loops(anchors, boxes)):
        raise RuntimeError("the two regions differ: the comparison is void")


def _anchors(columns: int, rows: int, sides: tuple[int, ...]) -> Tensor:
    half = torch.tensor([(s * r, s / r) for s in sides for r in (0.7, 1.0, 1.4)]) / 2
    y, x = torch.meshgrid(torch.arange(rows) * 16.0 + 8, torch.arange(columns) * 16.0 + 8, indexing="ij")
    centres = torch.stack([x, y], -1)[:, :, None]
    return torch.cat([centres - half, centres + half], -1)


def _boxes(width: int, height: int, count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(count)
    limits = torch.tensor([width, height])
    corners = [torch.rand(2, count, 2, generator=generator) for _ in range(BATCH)]
    return [torch.cat([a * 0.8 * limits, a * 0.8 * limits + 8 + b * 0.3 * limits], 1) for a, b in corners]


if __name__ == "__main__":
    # The allocator must be there before the process starts, as in the product.
    wanted = training_environment()
    if wanted.keys() - os.environ.keys():
        os.execve(sys.executable, [sys.executable, "-m", "bench.region", *sys.argv[1:]], {**os.environ, **wanted})  # noqa: S606 - this script
    main()
