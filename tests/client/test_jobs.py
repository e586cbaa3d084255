"""One job as `fgfi show` prints it."""

import pytest

from client.commands.jobs import merge_patch, print_job
from client.errors import ClientError
from client.models import Job

FIRST = {
    "number": 1,
    "device": "cuda: NVIDIA H200",
    "last_stage": "baseline",
    "last_step": 40,
    "started_at": "2030-01-01T00:00:00Z",
    "ended_at": "2030-01-01T00:03:20Z",
    "outcome": "lost",
    "message": "The run was ended by SIGKILL, perhaps because memory ran out.",
}
SECOND = FIRST | {"number": 2, "last_stage": "report", "last_step": 0, "outcome": "succeeded", "message": "done"}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that are printed of a job that needed two attempts, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    job = {
        "id": "job_c0Ek3XtbpAJSfdHzMUYiOp",
        "name": "cells",
        "state": "succeeded",
        "stage": "report",
        "dataset_id": "ds_4hWdKB1o7Xwzhd3byPAiT9",
        "created_at": "2030-01-01T00:00:00Z",
        "started_at": "2030-01-01T00:00:00Z",
        "finished_at": "2030-01-01T00:05:00Z",
        "scores": {"teacher": 0.7, "plain": 0.5, "imitated": 0.6, "gap_closed": 0.5},
        "attempts": [FIRST, SECOND],
    }
    print_job(Job.model_validate(job))
    return capsys.readouterr().out.splitlines()


def test_nothing_is_wider_than_a_narrow_terminal(shown: list[str]) -> None:
    assert max(map(len, shown)) <= 80


def test_each_attempt_says_what_it_computed_on_and_how_far_it_came(shown: list[str]) -> None:
    assert "      1  lost       baseline 40  cuda: NVIDIA H200  3m20s" in shown


def test_an_attempt_that_failed_says_why_below(shown: list[str]) -> None:
    assert shown[-2] == "  The run was ended by SIGKILL, perhaps because memory ran out."


def test_what_the_job_failed_of_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    failed = FIRST | {"outcome": "failed", "message": "the loss stopped being finite"}
    error = {"code": "diverged", "message": "the loss stopped being finite", "hint": "Use a smaller one."}
    fields = {"id": "job_1", "name": "cells", "state": "failed", "dataset_id": "ds_1"}
    times = {"created_at": "2030-01-01T00:00:00Z"}

    print_job(Job.model_validate({**fields, **times, "error": error, "attempts": [failed]}))

    assert capsys.readouterr().out.count("the loss stopped being finite") == 1


def test_an_attempt_that_succeeded_needs_no_words(shown: list[str]) -> None:
    assert shown[-1] == "      2  succeeded  report       cuda: NVIDIA H200  3m20s"


def test_fields_to_change_are_json_or_text() -> None:
    given = ["schedule.epochs=60", "schedule.decay=step", "baseline=false", "name=a=b"]
    assert merge_patch(given) == {"schedule": {"epochs": 60, "decay": "step"}, "baseline": False, "name": "a=b"}


@pytest.mark.parametrize("change", ["epochs", "=3", "schedule.=3", ".epochs=3"])
def test_a_change_that_names_no_field_is_refused(change: str) -> None:
    with pytest.raises(ClientError, match="FIELD=VALUE"):
        merge_patch([change])


def test_a_field_is_not_changed_within_what_is_set_as_a_whole() -> None:
    with pytest.raises(ClientError, match="as a whole"):
        merge_patch(["schedule=3", "schedule.epochs=3"])
