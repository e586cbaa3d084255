import numpy as np

from fgfi_core.evaluation.in_turn import choose, turns
from fgfi_core.evaluation.pairs import Pairs


def test_turns_count_rows_of_the_same_group() -> None:
    assert turns(np.array([5, 3, 5, 5, 3])).tolist() == [0, 0, 1, 2, 1]


def pairs(*rows: tuple[int, int]) -> Pairs:
    a, b = np.array(rows, np.int64).reshape(-1, 2).T
    return Pairs(a, b, np.ones(len(rows)))


def test_each_takes_the_first_that_is_free_when_its_turn_comes() -> None:
    # 0 and 1 want item 2 first; 1 also takes 0; nothing is left for 2.
    wanted = pairs((0, 2), (1, 2), (1, 0), (2, 2), (2, 0))
    assert choose(wanted, np.array([0, 1, 2]), np.ones((3, 1), np.bool_))[:, 0].tolist() == [2, 0, -1]


def test_those_of_one_turn_take_nothing_of_each_others() -> None:
    wanted = pairs((0, 1), (0, 0), (1, 2))
    free = np.array([[True], [False], [False]])
    assert choose(wanted, np.array([0, 0]), free)[:, 0].tolist() == [0, -1]


def test_games_do_not_see_each_other() -> None:
    free = np.array([[True, False], [True, True]])
    assert choose(pairs((0, 0), (0, 1), (1, 0), (1, 1)), np.array([0, 1]), free).tolist() == [[0, 1], [1, -1]]


def test_without_choosers_or_candidates_nothing_is_taken() -> None:
    assert choose(pairs(), np.zeros(0, np.int64), np.ones((2, 3), np.bool_)).shape == (0, 3)
    assert choose(pairs(), np.zeros(2, np.int64), np.ones((2, 1), np.bool_)).tolist() == [[-1], [-1]]
