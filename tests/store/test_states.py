from itertools import product
from typing import get_args

import pytest

from store.states import HELD, JOB_STATES, MOVES, TERMINAL, Action, Ending, JobState, after_action, after_ending

# Every state under every action: the promise to users, written out once more by hand.
EXPECTED: dict[str, dict[str, str | None]] = {
    "queued": {"cancel": "cancelled", "pause": "paused", "resume": None, "retry": None},
    "running": {"cancel": "cancelling", "pause": "pausing", "resume": None, "retry": None},
    "cancelling": {"cancel": "cancelling", "pause": None, "resume": None, "retry": None},
    "pausing": {"cancel": "cancelling", "pause": "pausing", "resume": None, "retry": None},
    "paused": {"cancel": "cancelled", "pause": "paused", "resume": "queued", "retry": None},
    "succeeded": {"cancel": None, "pause": None, "resume": None, "retry": None},
    "failed": {"cancel": None, "pause": None, "resume": None, "retry": "queued"},
    "cancelled": {"cancel": "cancelled", "pause": None, "resume": None, "retry": "queued"},
}


@pytest.mark.parametrize(("state", "action"), list(product(JOB_STATES, get_args(Action))))
def test_every_action_in_every_state_leads_where_users_were_told(state: JobState, action: Action) -> None:
    assert after_action(action, state) == EXPECTED[state][action]


@pytest.mark.parametrize(("state", "action"), list(product(JOB_STATES, get_args(Action))))
def test_every_action_is_a_legal_move(state: JobState, action: Action) -> None:
    after = after_action(action, state)
    assert after is None or after == state or (state, after) in MOVES


@pytest.mark.parametrize(("state", "ending"), list(product(sorted(HELD), get_args(Ending))))
def test_every_end_of_an_attempt_is_a_legal_move(state: JobState, ending: Ending) -> None:
    assert (state, after_ending(state, ending)) in MOVES


@pytest.mark.parametrize(("state", "ending"), list(product(sorted(set(JOB_STATES) - HELD), get_args(Ending))))
def test_no_attempt_can_end_where_none_is_live(state: JobState, ending: Ending) -> None:
    with pytest.raises(KeyError):
        after_ending(state, ending)


def test_nothing_but_a_retry_leads_out_of_a_terminal_state() -> None:
    out = {move for move in MOVES if move[0] in TERMINAL}
    assert out == {(state, "queued") for state in TERMINAL if after_action("retry", state)}


@pytest.mark.parametrize("ending", get_args(Ending))
def test_an_acknowledged_cancellation_always_ends_as_cancelled(ending: Ending) -> None:
    assert after_ending("cancelling", ending) == "cancelled"


def test_every_state_that_is_not_terminal_can_reach_each_terminal_one() -> None:
    reach: dict[str, set[str]] = {
        state: {b for a, b in MOVES if a == state} if state not in TERMINAL else set() for state in JOB_STATES
    }
    for _ in JOB_STATES:
        for state in JOB_STATES:
            reach[state] |= {far for near in reach[state] for far in reach[near]}

    for state in set(JOB_STATES) - TERMINAL - {"cancelling"}:
        assert reach[state] >= TERMINAL
    assert reach["cancelling"] == {"cancelled"}
