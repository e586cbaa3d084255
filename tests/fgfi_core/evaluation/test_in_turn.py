import numpy as np

from fgfi_core.evaluation.in_turn import choose, turns


def test_turns_count_rows_of_the_same_group() -> None:
    assert turns(np.array([5, 3, 5, 5, 3])).tolist() == [0, 0, 1, 2, 1]


def test_each_takes_the_first_that_is_free_when_its_turn_comes() -> None:
    # 0 and 1 want item 2 first; 1 also takes 0; nothing is left for 2.
    taken = choose(np.array([0, 1, 1, 2, 2]), np.array([2, 2, 0, 2, 0]), np.array([0, 1, 2]), np.ones((3, 1), np.bool_))
    assert taken[:, 0].tolist() == [2, 0, -1]


def test_games_do_not_see_each_other() -> None:
    free = np.array([[True, False], [True, True]])
    taken = choose(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0, 1]), free)
    assert taken.tolist() == [[0, 1], [1, -1]]
    assert free.tolist() == [[True, False], [True, True]]


def test_without_choosers_or_candidates_nothing_is_taken() -> None:
    none = np.zeros(0, np.int64)
    assert choose(none, none, none, np.ones((2, 3), np.bool_)).shape == (0, 3)
    assert choose(none, none, np.zeros(2, np.int64), np.ones((2, 1), np.bool_)).tolist() == [[-1], [-1]]
