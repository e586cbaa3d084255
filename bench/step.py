"""What imitation adds to a training step: the fine-grained step against its two unavoidable parts.

    python -m bench.step [--rounds 7] [--threads 1 2]

(a) the plain student's step, (b) the teacher's forward pass up to its maps, (c) the fine-grained step, (d) the same
written naively: dense adaptation and a loop over boxes. Aim: (c) at most 1.05 times (a) + (b).
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from bench.looped import looped_region
from bench.timing import samples
from fgfi_core.detectors import Detector, Target, create
from fgfi_core.environment import training_environment
from fgfi_core.imitation import Adapter, FrozenTeacher, StudentPass
from fgfi_core.imitation.fine_grained import FineGrainedImitation
from fgfi_core.spec import FineGrained

CLASSES, THRESHOLD = 3, 0.5


class Case(NamedTuple):
    """A pair at its size; image_size: (width, height) in pixels.

    boxes: an image. least, most: (width, height) of a box, as in the data the pair is for: VOC and KITTI.
    """

    teacher: str
    student: str
    image_size: tuple[int, int]
    batch: int
    boxes: int
    least: tuple[int, int]
    most: tuple[int, int]


CASES = (
    Case("faster-rcnn-resnet50-fpn", "faster-rcnn-resnet18-fpn", (320, 320), 2, 3, (40, 40), (200, 200)),
    Case("shuffledet-1x", "shuffledet-0.25x", (1248, 384), 4, 4, (30, 30), (140, 90)),
)


class Arms:
    """The four arms of a case on one batch; each step trains, so students and optimisers are one for each arm."""

    def __init__(self, case: Case) -> None:
        generator = torch.Generator().manual_seed(0)
        width, height = case.image_size
        images = torch.rand(case.batch, 3, height, width, generator=generator)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.targets = [_target(case, generator) for _ in range(case.batch)]
        torch.manual_seed(0)
        self.teacher = _placed(create(case.teacher, CLASSES, case.image_size)).eval()
        self.plain, self.fine, self.naive = (_Student(case, self.teacher) for _ in range(3))

    def plain_step(self) -> None:
        """(a)."""
        maps, loss = self.plain.detect(self.images, self.targets)
        del maps
        self.plain.step(loss)

    def teacher_maps(self) -> tuple[Tensor, ...]:
        """(b)."""
        with torch.no_grad():
            return self.teacher.features(self.images)

    def fine_grained_step(self) -> None:
        """(c)."""
        maps, loss = self.fine.detect(self.images, self.targets)
        terms = self.fine.imitation(StudentPass(self.images, self.targets, maps, {}))
        self.fine.step(loss + terms["imitation"])

    def naive_step(self) -> None:
        """(d)."""
        maps, loss = self.naive.detect(self.images, self.targets)
        wanted, anchors = self.teacher_maps(), self.teacher.anchors()
        regions = [looped_region(anchors, target.boxes, THRESHOLD) for target in self.targets]
        total, cells = loss.new_zeros(()), 0
        for level, (adapter, own, goal) in enumerate(zip(self.naive.adapters, maps, wanted, strict=True)):
            mask = torch.stack([region[level] for region in regions])
            total = total + ((adapter(own) - goal).square().sum(1) * mask).sum()
            cells += int(mask.sum())
        self.naive.step(loss + total / (2 * max(cells, 1)))


class _Student:
    def __init__(self, case: Case, teacher: Detector) -> None:
        self.detector = _placed(create(case.student, CLASSES, case.image_size)).train()
        self.imitation = FineGrainedImitation(FineGrained(), FrozenTeacher(teacher, self.detector))
        self.adapters = [adapter for adapter in self.imitation.adapters if isinstance(adapter, Adapter)]
        parameters = [*self.detector.parameters(), *self.imitation.parameters()]
        self.optimizer = torch.optim.SGD(parameters, lr=1e-5, momentum=0.9)

    def detect(self, images: Tensor, targets: list[Target]) -> tuple[tuple[Tensor, ...], Tensor]:
        maps = self.detector.features(images)
        terms = self.detector.losses(self.detector.heads(maps, targets), targets)
        return maps, torch.stack(list(terms.values())).sum()

    def step(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.detector.parameters(), 10.0)
        self.optimizer.step()


def _placed(detector: Detector) -> Detector:
    placed: Detector = detector.to(memory_format=torch.channels_last)
    return placed


def _target(case: Case, generator: torch.Generator) -> Target:
    limits, least, most = (torch.tensor(size, dtype=torch.float32) for size in (case.image_size, case.least, case.most))
    sides = least + torch.rand(case.boxes, 2, generator=generator) * (most - least)
    corners = torch.rand(case.boxes, 2, generator=generator) * (limits - sides)
    return Target(
        torch.cat([corners, corners + sides], 1), torch.randint(0, CLASSES, (case.boxes,), generator=generator)
    )


def main() -> None:
    """Print a block for each pair and count of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for case in CASES:
            _report(case, threads, arguments.rounds)


def _report(case: Case, threads: int, rounds: int) -> None:
    arms = Arms(case)
    width, height = case.image_size
    share = torch.cat([mask.flatten() for mask in arms.fine.imitation.masks([t.boxes for t in arms.targets])])
    print(
        f"{case.teacher} -> {case.student}, {width}x{height}, batch {case.batch}, "
        f"{share.float().mean():.1%} of the cells imitated, threads {threads}, {rounds} rounds"
    )
    named: dict[str, Callable[[], object]] = {
        "(a) plain step": arms.plain_step,
        "(b) teacher's maps": arms.teacher_maps,
        "(c) fine-grained step": arms.fine_grained_step,
        "(d) naive step": arms.naive_step,
    }
    times = samples(rounds, *named.values())
    for name, each in zip(named, times, strict=True):
        print(f"  {name:24s} median {statistics.median(each):8.1f} ms   {min(each):8.1f} .. {max(each):8.1f}")
    # Ratios round by round: what slows the machine down slows all four arms of a round alike.
    parts = [c / (a + b) for a, b, c, _ in zip(*times, strict=True)]
    gain = [d / c for _, _, c, d in zip(*times, strict=True)]
    print(
        f"  (c) / ((a) + (b))        median {statistics.median(parts):8.3f}      {min(parts):8.3f} .. {max(parts):8.3f}"
    )
    print(f"  (d) / (c)                median {statistics.median(gain):8.3f}      {min(gain):8.3f} .. {max(gain):8.3f}")
    print(flush=True)


if __name__ == "__main__":
    # The allocator must be there before the process starts, as in the product.
    wanted = training_environment()
    if wanted.keys() - os.environ.keys():
        os.execve(sys.executable, [sys.executable, "-m", "bench.step", *sys.argv[1:]], {**os.environ, **wanted})  # noqa: S606 - this script
    main()
