"""How far the students' maps are from the teacher's, cell by cell.

The plain student never had an adapter, and the imitating one's is trained for the last step, not for the checkpoint
that is delivered. So both are read alike: at each level a 1x1 convolution from the student's channels to the teacher's
is fitted by least squares on training images, and the distance is measured on images of the measured split. It says how
much of the teacher's map can be read off the student's at the same cell, and no student is favoured.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fgfi_core.data import images
from fgfi_core.data.dataset import Example
from fgfi_core.detectors import Detector
from fgfi_core.imitation import FrozenTeacher
from fgfi_core.imitation.resize import resized
from fgfi_core.results import Role

# Of the mean variance of a student's channels; keeps channels that never fire from dividing by nothing.
RIDGE = 1e-4

Maps = tuple[Tensor, ...]
Masks = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True)
class Unexplained:
    """Share of the variation of the teacher's map that cannot be read off a student's, at one level.

    inside, outside: of the imitation region, fractions; 1 is no better than the teacher's mean. None without a cell.
    """

    inside: float | None
    outside: float | None


@dataclass(frozen=True, eq=False)
class FeatureDistances:
    """fitted, measured: counts of images. strides: of the teacher's matched levels, finest first.

    unexplained: by role, one a level. maps: by image id and role, [H_l, W_l] float32 a level, over the image: the
    distance at each cell as a multiple of the teacher's own deviation from its mean.
    """

    fitted: int
    measured: int
    strides: tuple[int, ...]
    unexplained: Mapping[Role, tuple[Unexplained, ...]]
    maps: Mapping[str, Mapping[Role, tuple[NDArray[np.float32], ...]]]


def measure(
    teacher: Detector,
    students: Mapping[Role, Detector],
    fit: Sequence[Example],
    measured: Sequence[Example],
    region: Callable[[Example], Masks],
) -> FeatureDistances:
    """Fit on some images, measure on others; all of `measured` get maps.

    region: the imitated cells of an example on the teacher's matched levels. Freezes the teacher.
    Raises BadSpec when no maps of the two can be matched, BadData for a broken image.
    """
    pair = FrozenTeacher(teacher, next(iter(students.values())))
    readings = {role: _fitted(pair, student, fit) for role, student in students.items()}
    means, spread = _moments(pair, measured)
    sums = {role: [_Sums() for _ in means] for role in students}
    maps: dict[str, dict[Role, tuple[NDArray[np.float32], ...]]] = {}
    for example in measured:
        masks = region(example)
        for role, student in students.items():
            own, wanted = _pass(pair, student, example)
            drawn = []
            for level, reading in enumerate(readings[role]):
                squared = (reading(own[level]) - wanted[level]).square().sum(0)
                around = (wanted[level] - means[level][:, None, None]).square().sum(0)
                sums[role][level].add(squared, around, torch.from_numpy(masks[level]))
                drawn.append((squared / spread[level]).sqrt().float().numpy())
            size = (example.width, example.height)
            maps.setdefault(example.image_id, {})[role] = tuple(teacher.frame.over_image(one, size) for one in drawn)
    return FeatureDistances(
        fitted=len(fit),
        measured=len(measured),
        strides=tuple(teacher.info.strides[one.teacher] for one in pair.match.pairs),
        unexplained={role: tuple(level.shares() for level in levels) for role, levels in sums.items()},
        maps=maps,
    )


class _Sums:
    """Squared distance to the teacher, and of the teacher to its mean; [inside, outside] the region."""

    def __init__(self) -> None:
        self.distance = [0.0, 0.0]
        self.variation = [0.0, 0.0]

    def add(self, squared: Tensor, around: Tensor, mask: Tensor) -> None:
        for i, where in enumerate((mask, ~mask)):
            self.distance[i] += float(squared[where].sum())
            self.variation[i] += float(around[where].sum())

    def shares(self) -> Unexplained:
        inside, outside = (d / v if v > 0 else None for d, v in zip(self.distance, self.variation, strict=True))
        return Unexplained(inside, outside)


@dataclass(frozen=True)
class _Reading:
    """A 1x1 convolution; weight: [Cs + 1, Ct] float64, its last row the bias."""

    weight: Tensor

    def __call__(self, own: Tensor) -> Tensor:
        """own: [Cs, H, W], result: [Ct, H, W]."""
        out = torch.einsum("chw,ct->thw", own, self.weight[:-1])
        return out + self.weight[-1][:, None, None]


def _fitted(pair: FrozenTeacher, student: Detector, examples: Sequence[Example]) -> list[_Reading]:
    """Least squares over all cells of the images, one reading a level."""
    squares: list[Tensor] = []
    products: list[Tensor] = []
    for example in examples:
        for level, (own, wanted) in enumerate(zip(*_pass(pair, student, example), strict=True)):
            cells = torch.cat([own.flatten(1), own.new_ones(1, own[0].numel())])
            if level == len(squares):
                squares.append(torch.zeros(len(cells), len(cells), dtype=torch.float64))
                products.append(torch.zeros(len(cells), len(wanted), dtype=torch.float64))
            squares[level] += cells @ cells.T
            products[level] += cells @ wanted.flatten(1).T
    readings = []
    for square, product in zip(squares, products, strict=True):
        ridge = RIDGE * square.diagonal().mean().clamp_min(1e-12) * torch.eye(len(square), dtype=torch.float64)
        readings.append(_Reading(torch.linalg.solve(square + ridge, product)))
    return readings


def _moments(pair: FrozenTeacher, examples: Sequence[Example]) -> tuple[list[Tensor], list[float]]:
    """The teacher's mean at each level, [Ct], and the mean squared deviation of a cell from it."""
    sums: list[Tensor] = []
    squares: list[float] = []
    counts: list[int] = []
    for maps in _teacher_maps(pair, examples):
        for level, wanted in enumerate(maps):
            cells = wanted.flatten(1)
            if level == len(sums):
                sums.append(torch.zeros(len(cells), dtype=torch.float64))
                squares.append(0.0)
                counts.append(0)
            sums[level] += cells.sum(1)
            squares[level] += float(cells.square().sum())
            counts[level] += cells.shape[1]
    means = [total / count for total, count in zip(sums, counts, strict=True)]
    spread = [s / n - float(mean.square().sum()) for s, n, mean in zip(squares, counts, means, strict=True)]
    return means, [max(value, 1e-12) for value in spread]


def _teacher_maps(pair: FrozenTeacher, examples: Sequence[Example]) -> Iterator[Maps]:
    for example in examples:
        yield tuple(_plain(one) for one in pair.matched(pair.maps(_image(example, pair.student))))


@torch.no_grad()
def _pass(pair: FrozenTeacher, student: Detector, example: Example) -> tuple[Maps, Maps]:
    """The matched maps of student and teacher on the teacher's grid, each [C, H, W] float64 on the CPU."""
    image = _image(example, student)
    wanted = pair.matched(pair.maps(image))
    own = pair.matched_student(student.features(image))
    return tuple(_plain(resized(o, w)) for o, w in zip(own, wanted, strict=True)), tuple(map(_plain, wanted))


def _image(example: Example, student: Detector) -> Tensor:
    pixels = torch.from_numpy(images.framed(example.path, student.frame))
    device = next(student.parameters()).device
    return pixels.permute(2, 0, 1)[None].to(device).float() / 255


def _plain(maps: Tensor) -> Tensor:
    return maps[0].double().cpu()
