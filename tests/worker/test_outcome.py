import pytest

from fgfi_core.events import RunFailed
from worker.outcome import Ended, judge

RESULT = {"name": "cells"}
FAILURE = RunFailed(code="bad_data", message="a.xml:3: no boxes", hint="Mend it.")


@pytest.mark.parametrize(
    ("ended", "kind"),
    [
        (Ended(0, result=RESULT), "succeeded"),
        (Ended(0), "lost"),
        (Ended(0, result=RESULT, lost_files=("'a' could not be stored",)), "lost"),
        (Ended(20), "failed"),
        (Ended(21, failure=FAILURE), "failed"),
        (Ended(22), "failed"),
        (Ended(23), "failed"),
        (Ended(1), "lost"),
        (Ended(1, failure=FAILURE), "lost"),
        (Ended(-9), "lost"),
        (Ended(-11), "lost"),
        (Ended(-40), "lost"),
        (Ended(99), "lost"),
        # Stopping, asked for or not.
        (Ended(30), "stopped"),
        (Ended(30, asked="preempt"), "stopped"),
        (Ended(11, asked="pause"), "stopped"),
        (Ended(10, asked="cancel"), "stopped"),
        (Ended(10), "lost"),
        (Ended(11), "lost"),
        (Ended(-9, asked="preempt", killed=True), "stopped"),
        (Ended(-9, asked="pause", killed=True), "stopped"),
        # It came to another end before it heard of the wish.
        (Ended(0, asked="pause", result=RESULT), "succeeded"),
        (Ended(0, asked="preempt", result=RESULT), "succeeded"),
        (Ended(21, asked="pause"), "failed"),
        (Ended(-11, asked="preempt"), "lost"),
        # Too much memory, whatever else was wished.
        (Ended(-9, memory=2**30), "failed"),
        (Ended(-9, asked="pause", memory=2**30), "failed"),
        (Ended(-9, asked="cancel", memory=2**30), "stopped"),
        # Silent for too long.
        (Ended(-9, killed=True, silence=700.0), "lost"),
        (Ended(-9, asked="cancel", killed=True, silence=700.0), "stopped"),
        # Whatever happened, who cancelled wants it cancelled.
        (Ended(0, asked="cancel", result=RESULT), "stopped"),
        (Ended(-11, asked="cancel"), "stopped"),
        (Ended(21, asked="cancel"), "stopped"),
    ],
)
def test_every_end_has_one_meaning(ended: Ended, kind: str) -> None:
    assert judge(ended).kind == kind


def test_a_failure_carries_the_runs_own_words() -> None:
    assert judge(Ended(21, failure=FAILURE)).error == {
        "code": "bad_data",
        "message": "a.xml:3: no boxes",
        "hint": "Mend it.",
    }


def test_a_failure_without_words_gets_some() -> None:
    error = judge(Ended(22)).error
    assert error is not None
    assert error["code"] == "out_of_memory"
    assert error["hint"]


@pytest.mark.parametrize(
    ("code", "word"), [(-9, "SIGKILL, perhaps because memory ran out"), (-11, "SIGSEGV"), (7, "exit code 7")]
)
def test_a_loss_is_described(code: int, word: str) -> None:
    assert word in judge(Ended(code)).message


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (Ended(0, result=RESULT), None),
        (Ended(21, failure=FAILURE), "bad_data"),
        (Ended(22), "out_of_memory"),
        (Ended(-11), "died"),
        (Ended(-9, killed=True, silence=700.0), "hung"),
        (Ended(30, asked="preempt"), "preempt"),
        (Ended(11, asked="pause"), "pause"),
    ],
)
def test_programs_get_the_reason_in_a_word_and_the_exit_code(ended: Ended, reason: str | None) -> None:
    assert (judge(ended).reason, judge(ended).code) == (reason, ended.code)
