from datetime import UTC, datetime, timedelta

from store.tables import JobEvent
from store.transitions import tell

START = datetime(2030, 1, 1, tzinfo=UTC)


def happened(*what: tuple[str, str]) -> list[JobEvent]:
    """Events a second apart: ("state", to) or ("stage_started", stage)."""
    rows = []
    for second, (kind, word) in enumerate(what):
        data = {"to": word, "message": f"to {word}"} if kind == "state" else {"stage": word, "seed": 0}
        time = START + timedelta(seconds=second)
        rows.append(JobEvent(job_id="job_1", sequence=second + 1, attempt=1, kind=kind, data=data, time=time))
    return rows


def test_each_stretch_ends_where_the_next_begins() -> None:
    told = tell(happened(("state", "queued"), ("state", "running"), ("stage_started", "teacher"), ("state", "failed")))
    assert [(one.state, one.stage) for one in told] == [
        ("queued", None),
        ("running", None),
        ("running", "teacher"),
        ("failed", None),
    ]
    assert [one.end for one in told] == [*(one.start for one in told[1:]), None]


def test_a_run_that_is_asked_to_stop_is_still_in_its_stage() -> None:
    told = tell(happened(("state", "running"), ("stage_started", "teacher"), ("state", "pausing"), ("state", "paused")))
    assert [(one.state, one.stage) for one in told[2:]] == [("pausing", "teacher"), ("paused", None)]


def test_only_a_change_of_state_has_a_message() -> None:
    told = tell(happened(("state", "running"), ("stage_started", "teacher")))
    assert [one.message for one in told] == ["to running", ""]


def test_before_anything_happened_there_is_no_stretch() -> None:
    assert tell([]) == []
