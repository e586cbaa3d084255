"""The checker of `make chaos` sees each thing that must not be."""

import copy
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.chaos.checker import check
from tests.chaos.history import JobHistory, Plan

Spoil = Callable[[JobHistory], object]


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}+00:00"


def event(sequence: int, attempt: int, kind: str, **data: object) -> dict[str, Any]:
    return {"sequence": sequence, "attempt": attempt, "kind": kind, "data": data, "time": at(sequence)}


def moved(sequence: int, attempt: int, source: str | None, target: str) -> dict[str, Any]:
    return event(sequence, attempt, "state", **{"from": source, "to": target})


def attempt(number: int, began: int, ended: int, outcome: str, **more: object) -> dict[str, Any]:
    times = {"started_at": at(began), "ended_at": at(ended)}
    return {"number": number, "outcome": outcome, "resumed_from": None, "last_stage": "teacher", **times, **more}


def checkpoint(sequence: int, number: int, step: int) -> dict[str, Any]:
    return event(sequence, number, "checkpoint", stage="teacher", step=step)


@pytest.fixture
def good() -> JobHistory:
    """A job that lost its worker five steps after its checkpoint, went on and succeeded; it was retried by nobody."""
    events = [
        moved(1, 0, None, "queued"),
        moved(2, 1, "queued", "running"),
        checkpoint(3, 1, 10),
        moved(4, 1, "running", "queued"),
        moved(5, 2, "queued", "running"),
        moved(6, 2, "running", "succeeded"),
    ]
    resumed = [{"stage": "teacher", "step": 10, "final": False}]
    return JobHistory(
        plan=Plan("key", {}, "succeeded", 10, "digest"),
        job_id="job_1",
        twins={"job_1"},
        glances=[("queued", 1), ("running", 3), ("succeeded", 6)],
        seen=copy.deepcopy(events[:3]),
        job={
            "state": "succeeded",
            "error": None,
            "result": {"digest": "digest"},
            "last_event": 6,
            "attempts": [
                attempt(1, 2, 4, "lost", last_step=15),
                attempt(2, 5, 6, "succeeded", last_step=20, resumed_from=resumed),
            ],
        },
        events=events,
        files=[({"name": "student", "sha256": sha256(b"weights").hexdigest()}, b"weights")],
    )


def job(history: JobHistory) -> dict[str, Any]:
    assert history.job is not None
    return history.job


def test_a_good_history_is_clean(good: JobHistory) -> None:
    findings = check([good], faults=1)
    assert findings.clean
    assert findings.line() == "jobs=1 attempts=2 faults=1 lost=0 doubled=0 regressions=0"
    assert findings.lost_steps == [5]


def _cancelled(history: JobHistory) -> None:
    history.asked.append("cancel")
    history.answered.append("cancel")


LOST: dict[str, Spoil] = {
    "the job is gone": lambda h: setattr(h, "job", None),
    "it runs for ever": lambda h: job(h).update(state="running"),
    "it failed": lambda h: job(h).update(state="failed"),
    "its file is gone": lambda h: h.files.clear(),
    "its file is cut": lambda h: h.files.__setitem__(0, (h.files[0][0], b"wei")),
    "an accepted cancellation is forgotten": _cancelled,
    "an attempt never ends": lambda h: job(h)["attempts"][0].update(ended_at=None),
}
DOUBLED: dict[str, Spoil] = {
    "two jobs for one request": lambda h: h.twins.add("job_2"),
    "two holders at once": lambda h: job(h)["attempts"][0].update(ended_at=at(6)),
    "two finishes": lambda h: job(h)["attempts"][0].update(outcome="succeeded"),
    "a number twice": lambda h: job(h)["attempts"][1].update(number=1),
    "an attempt without a beginning": lambda h: job(h)["attempts"].append(attempt(3, 6, 7, "lost", last_step=None)),
    "a file twice": lambda h: h.files.append(h.files[0]),
}
REGRESSIONS: dict[str, Spoil] = {
    "a gap in the events": lambda h: h.events.pop(2),
    "an event that changed": lambda h: h.seen[2].update(kind="log"),
    "an event that is gone": lambda h: job(h).update(last_event=7),
    "a last event that went back": lambda h: h.glances.insert(0, ("running", 3)),
    "an end that was left": lambda h: h.events.insert(5, moved(6, 2, "running", "succeeded")),
    "a late write": lambda h: h.events[5].update(attempt=1),
    "an illegal move": lambda h: h.events[3]["data"].update(to="paused"),
    "another result": lambda h: job(h)["result"].update(digest="other"),
    "work lost that was published": lambda h: job(h)["attempts"][1]["resumed_from"][0].update(step=5),
    "work lost that should have been published": lambda h: job(h)["attempts"][0].update(last_step=31),
    "a retry that nobody asked for": lambda h: h.events.extend(
        [moved(7, 2, "failed", "queued"), moved(8, 2, "queued", "running"), moved(9, 2, "running", "succeeded")]
    ),
}


@pytest.mark.parametrize("what", LOST)
def test_what_is_lost_is_seen(good: JobHistory, what: str) -> None:
    LOST[what](good)
    assert check([good]).lost


@pytest.mark.parametrize("what", DOUBLED)
def test_what_happened_twice_is_seen(good: JobHistory, what: str) -> None:
    DOUBLED[what](good)
    assert check([good]).doubled


@pytest.mark.parametrize("what", REGRESSIONS)
def test_what_went_backwards_is_seen(good: JobHistory, what: str) -> None:
    REGRESSIONS[what](good)
    assert check([good]).regressions
