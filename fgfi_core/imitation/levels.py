"""Which of the student's maps imitates which of the teacher's: levels are matched by stride."""

import math
from collections.abc import Sequence
from typing import NamedTuple

MOST_OCTAVES = 1.0
_ROUNDING = 0.1  # octaves; grids of sides that the stride does not divide are off by a little


class LevelPair(NamedTuple):
    """Numbers of two levels that belong together, each counted from the finest."""

    student: int
    teacher: int


class LevelMatch(NamedTuple):
    """Pairs, finest first, and the levels of either side that are left over."""

    pairs: tuple[LevelPair, ...]
    student_only: tuple[int, ...]
    teacher_only: tuple[int, ...]


def match_levels(student: Sequence[float], teacher: Sequence[float]) -> LevelMatch:
    """Pair levels one to one, nearest strides first, never further apart than one octave.

    student, teacher: strides as shares of the image's width, so that detectors with inputs of their own can be
    compared; finest first.
    """
    distances = sorted(
        (abs(math.log2(one / other)), i, j) for i, one in enumerate(student) for j, other in enumerate(teacher)
    )
    pairs: list[LevelPair] = []
    for octaves, i, j in distances:
        free = all(pair.student != i and pair.teacher != j for pair in pairs)
        if free and octaves <= MOST_OCTAVES + _ROUNDING:
            pairs.append(LevelPair(i, j))
    return LevelMatch(
        tuple(sorted(pairs)),
        tuple(i for i in range(len(student)) if all(pair.student != i for pair in pairs)),
        tuple(j for j in range(len(teacher)) if all(pair.teacher != j for pair in pairs)),
    )
