"""Is input ever the limit? Images per second of the loader alone beside those of the step that eats them.

    python -m bench.loader [--data FOLDER] [--split trainval] [--rounds 15] [--batch 8] [--size 320x240]

One thread does everything in turn: (a) the loader cold, every image decoded and resized, as in the first epoch; (b) the
loader warm, images from its cache, as in all later ones; (c) the plain training step of ssd-shufflenetv2-0.25x, the
lightest student of the catalogue, hence the hungriest. Augmentation is the default's. Without --data: made-up JPEG
files of 640x480. Aim: (b) several times as fast as (c).
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.timing import samples
from fgfi_core import data
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import Batch, TrainLoader
from fgfi_core.detectors import create
from fgfi_core.environment import training_environment
from fgfi_core.spec import Augmentation

STUDENT, CLASSES, IMAGES, BOXES = "ssd-shufflenetv2-0.25x", 3, 64, 12


def main() -> None:
    """Print images per second of the three and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="Folder of a data set; default: made-up images.")
    parser.add_argument("--split", help="Default: its first.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", default="320x240", help="Of the network's input, width x height.")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.data:
            splits = data.read(arguments.data).splits
            examples: Sequence[Example] = splits[arguments.split or next(iter(splits))][:IMAGES]
        else:
            examples = make(Path(scratch))
        _report(examples, (width, height), arguments.batch, arguments.rounds)


def make(folder: Path) -> list[Example]:
    """Photographs, as far as a decoder can tell: smooth shapes with a little noise, 640x480, JPEG."""
    rng = np.random.default_rng(0)
    examples = []
    for number in range(IMAGES):
        small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(small.resize((640, 480), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = np.clip(smooth + rng.integers(-8, 9, smooth.shape), 0, 255).astype(np.uint8)
        path = folder / f"{number}.jpg"
        Image.fromarray(noisy).save(path, quality=90)
        corners = rng.uniform(0, 1, (BOXES, 2)) * (500, 340)
        boxes = np.hstack([corners, corners + rng.uniform(30, 130, (BOXES, 2))]).astype(np.float32)
        labels = rng.integers(0, CLASSES, BOXES)
        examples.append(Example(path.stem, path, 640, 480, boxes, labels, np.zeros(BOXES, np.bool_)))
    return examples


def endless(loader: TrainLoader) -> Iterator[Batch]:
    """Epoch after epoch."""
    epoch = 0
    while True:
        yield from loader.batches(epoch)
        epoch += 1


class Step:
    """The plain student's training step on one batch."""

    def __init__(self, batch: Batch, image_size: tuple[int, int], classes: int) -> None:
        torch.manual_seed(0)
        self.detector = create(STUDENT, classes, image_size).to(memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.SGD(self.detector.parameters(), lr=1e-5, momentum=0.9)
        self.images, self.targets = batch.images.contiguous(memory_format=torch.channels_last), batch.targets

    def __call__(self) -> None:
        """Forward, backward, update."""
        maps = self.detector.features(self.images)
        terms = self.detector.losses(self.detector.heads(maps, self.targets), self.targets)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(list(terms.values())).sum())
        torch.nn.utils.clip_grad_norm_(self.detector.parameters(), 10.0)
        self.optimizer.step()


def _report(examples: Sequence[Example], image_size: tuple[int, int], batch_size: int, rounds: int) -> None:
    classes = 1 + max(int(example.labels.max(initial=0)) for example in examples)
    cold_loader = TrainLoader(examples, Frame(image_size), batch_size, Augmentation(), 0, cache_bytes=0)
    with cold_loader, TrainLoader(examples, Frame(image_size), batch_size, Augmentation(), 0) as warm_loader:
        for _ in warm_loader.batches(0):
            pass
        cold, warm = endless(cold_loader), endless(warm_loader)
        step = Step(next(warm), image_size, classes)
        times = samples(rounds, lambda: next(cold), lambda: next(warm), step)
        batch_size = cold_loader.batch_size
    width, height = image_size
    print(f"{STUDENT} at {width}x{height}, batch {batch_size}, one thread, {rounds} rounds of {len(examples)} images")
    for name, each in zip(("(a) loader, cold", "(b) loader, warm", "(c) plain step"), times, strict=True):
        middle = statistics.median(each)
        print(f"  {name:18s} median {middle:8.1f} ms   {min(each):8.1f} .. {max(each):8.1f}   ", end="")
        print(f"{1000 * batch_size / middle:8.1f} images/s")
    # Ratios round by round: what slows the machine down slows all three of a round alike.
    for name, loader in (("(c) / (a)", times[0]), ("(c) / (b)", times[1])):
        ratios = [step_time / own for step_time, own in zip(times[2], loader, strict=True)]
        print(f"  {name:18s} median {statistics.median(ratios):8.2f}      {min(ratios):8.2f} .. {max(ratios):8.2f}")


if __name__ == "__main__":
    # The allocator must be there before the process starts, as in the product.
    wanted = training_environment()
    if wanted.keys() - os.environ.keys():
        os.execve(sys.executable, [sys.executable, "-m", "bench.loader", *sys.argv[1:]], {**os.environ, **wanted})  # noqa: S606 - this script
    main()
