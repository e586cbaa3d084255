"""Which of a student's maps imitates which of a teacher's."""

import pytest

from fgfi_core.imitation import match_levels
from fgfi_core.imitation.levels import LevelPair


def shares(strides: list[int], width: int = 512) -> list[float]:
    return [stride / width for stride in strides]


def test_equal_pyramids_are_matched_level_by_level() -> None:
    match = match_levels(shares([8, 16, 32, 64]), shares([8, 16, 32, 64]))
    assert match.pairs == tuple(LevelPair(i, i) for i in range(4))
    assert match.student_only == match.teacher_only == ()


def test_levels_that_one_side_lacks_are_left_over() -> None:
    match = match_levels(shares([8, 16, 32, 64, 128]), shares([4, 8, 16, 32, 64]))
    assert match.pairs == (LevelPair(0, 1), LevelPair(1, 2), LevelPair(2, 3), LevelPair(3, 4))
    assert match.student_only == (4,)
    assert match.teacher_only == (0,)


@pytest.mark.parametrize(("single", "level"), [(16, 1), (32, 2)])
def test_a_single_map_meets_the_level_of_its_stride(single: int, level: int) -> None:
    match = match_levels(shares([8, 16, 32]), shares([single]))
    assert match.pairs == (LevelPair(level, 0),)
    assert match.student_only == tuple(i for i in range(3) if i != level)
    assert match_levels(shares([single]), shares([8, 16, 32])).pairs == (LevelPair(0, level),)


def test_strides_are_compared_as_shares_of_each_input() -> None:
    match = match_levels(shares([8, 16], width=256), shares([16, 32], width=512))
    assert match.pairs == (LevelPair(0, 0), LevelPair(1, 1))


@pytest.mark.parametrize(("student", "pairs"), [(16, 1), (64, 1), (8, 0), (128, 0)])
def test_one_octave_apart_is_matched_and_two_are_not(student: int, pairs: int) -> None:
    assert len(match_levels(shares([student]), shares([32])).pairs) == pairs


def test_a_level_is_used_once_and_the_nearest_takes_it() -> None:
    match = match_levels(shares([8, 16]), shares([16]))
    assert match.pairs == (LevelPair(1, 0),)
    assert match.student_only == (0,)
