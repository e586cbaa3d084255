"""What attempts publish: reports, checkpoints, artifacts, metrics."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from store import artifacts, attempts, checkpoints, events, leases, metrics, projects
from store.artifacts import NewArtifact
from store.attempts import NewMetric, Report, Trace
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.errors import LeaseLost, NotFound
from store.events import NewEvent
from store.leases import Claim, Lease
from store.tables import Checkpoint, Garbage, Job

pytestmark = pytest.mark.integration


def loss(step: int, value: float) -> NewMetric:
    return NewMetric("teacher", 0, "loss", step, step / 10, value)


def second_attempt(sessions: Sessions, claim: Claim) -> Lease:
    with sessions.begin() as session:
        attempts.stop(session, claim.lease, Trace("deploy"))
    with sessions.begin() as session:
        again = leases.claim(session, claim.job.id, worker_id="w2", lease=timedelta(seconds=75))
    assert again is not None
    return again.lease


def publish(sessions: Sessions, lease: Lease, step: int, *, stage: str = "teacher", final: bool = False) -> Checkpoint:
    key = f"{lease.attempt}/{stage}/{step}/{final}"
    path = f"{stage}/final.pt" if final else f"{stage}/{step}.pt"
    with sessions.begin() as session:
        return checkpoints.publish(session, lease, NewCheckpoint(stage, 0, step, final, path, key, 1, "s"))


def test_a_report_sent_again_counts_once(sessions: Sessions, claim: Claim, project_id: str) -> None:
    report = Report(1, [NewEvent("log", {"message": "once"})], [loss(1, 0.5)], stage="teacher")
    for _ in range(2):
        with sessions.begin() as session:
            attempts.write(session, claim.lease, report)
    with sessions.begin() as session:
        kinds = [event.kind for event in events.events_after(session, project_id, claim.job.id)]
    assert kinds.count("log") == 1


def test_a_step_that_two_attempts_reported_counts_as_the_newer_did(
    sessions: Sessions, claim: Claim, project_id: str
) -> None:
    with sessions.begin() as session:
        attempts.write(session, claim.lease, Report(1, metrics=[loss(1, 0.9), loss(2, 0.8), loss(3, 0.7)]))
    lease = second_attempt(sessions, claim)
    with sessions.begin() as session:
        attempts.write(session, lease, Report(1, metrics=[loss(2, 0.2), loss(3, math.nan)]))
    with sessions.begin() as session:
        (series,) = metrics.series(session, project_id, claim.job.id)
    assert [(point.step, point.value, point.attempt) for point in series.points[:2]] == [(1, 0.9, 1), (2, 0.2, 2)]
    assert math.isnan(series.points[2].value)


def test_series_are_chosen_by_stage_name_and_prefix(sessions: Sessions, claim: Claim, project_id: str) -> None:
    names = ["loss", "loss/class", "loss_x", "val/map50"]
    with sessions.begin() as session:
        rows = [NewMetric(stage, 0, name, 1, 0.1, 1.0) for stage in ("teacher", "baseline") for name in names]
        attempts.write(session, claim.lease, Report(1, metrics=rows))
    with sessions.begin() as session:
        found = metrics.series(session, project_id, claim.job.id, stages=["teacher"], names=["val/map50", "loss/*"])
    assert [(one.stage, one.name) for one in found] == [("teacher", "loss/class"), ("teacher", "val/map50")]


def test_a_long_series_keeps_its_ends_and_its_peaks(sessions: Sessions, claim: Claim, project_id: str) -> None:
    values = [math.sin(step / 50) for step in range(3000)]
    values[1234], values[2321], values[700] = 9.0, -9.0, math.nan
    with sessions.begin() as session:
        attempts.write(session, claim.lease, Report(1, metrics=[loss(*one) for one in enumerate(values)]))
    lease = second_attempt(sessions, claim)
    with sessions.begin() as session:
        attempts.write(session, lease, Report(1, metrics=[loss(2999, 0.25)]))
    with sessions.begin() as session:
        (series,) = metrics.series(session, project_id, claim.job.id, max_points=200)
        (part,) = metrics.series(session, project_id, claim.job.id, max_points=200, steps=(2300, 2399))
    steps = [point.step for point in series.points]
    assert series.total == 3000
    assert len(steps) <= 200
    assert steps == sorted(set(steps))
    assert {0, 700, 1234, 2321, 2999} <= set(steps)
    assert series.points[-1].value == 0.25
    assert [point.step for point in part.points] == list(range(2300, 2400))


def test_a_series_that_stands_still_is_thinned_too(sessions: Sessions, claim: Claim, project_id: str) -> None:
    with sessions.begin() as session:
        attempts.write(session, claim.lease, Report(1, metrics=[loss(step, 0.1) for step in range(500)]))
    with sessions.begin() as session:
        (series,) = metrics.series(session, project_id, claim.job.id, max_points=20)
    assert 2 <= len(series.points) <= 20
    assert (series.points[0].step, series.points[-1].step) == (0, 499)


def test_the_names_are_those_of_all_series(sessions: Sessions, claim: Claim) -> None:
    rows = [
        NewMetric(stage, seed, name, step, 0.1, 1.0)
        for stage in ("teacher", "baseline")
        for seed in (0, 3)
        for name in ("loss", f"val/{stage}")
        for step in (1, 2)
    ]
    with sessions.begin() as session:
        assert metrics.names(session, claim.job.id) == []
        attempts.write(session, claim.lease, Report(1, metrics=rows))
    with sessions.begin() as session:
        assert metrics.names(session, claim.job.id) == ["loss", "val/baseline", "val/teacher"]


def test_the_latest_point_of_each_series_is_cheap_to_have(sessions: Sessions, claim: Claim, project_id: str) -> None:
    with sessions.begin() as session:
        attempts.write(session, claim.lease, Report(1, metrics=[loss(step, 1 / step) for step in range(1, 9)]))
    with sessions.begin() as session:
        (series,) = metrics.latest(session, project_id, claim.job.id)
    assert [(point.step, point.value) for point in series.points] == [(8, 0.125)]


def test_the_newest_two_and_all_final_checkpoints_are_kept(sessions: Sessions, claim: Claim) -> None:
    publish(sessions, claim.lease, 9, final=True)
    for step in (1, 2, 3, 4):
        publish(sessions, claim.lease, step, stage="baseline")
    with sessions.begin() as session:
        kept = session.scalars(select(Checkpoint.object_key).order_by(Checkpoint.id)).all()
        collected = set(session.scalars(select(Garbage.object_key)))
    assert kept == ["1/teacher/9/True", "1/baseline/3/False", "1/baseline/4/False"]
    assert collected == {"1/baseline/1/False", "1/baseline/2/False"}


def test_publishing_the_same_object_again_is_the_same_checkpoint(sessions: Sessions, claim: Claim) -> None:
    assert publish(sessions, claim.lease, 1).id == publish(sessions, claim.lease, 1).id


def test_a_final_with_the_same_content_is_published_once(sessions: Sessions, claim: Claim, project_id: str) -> None:
    first = publish(sessions, claim.lease, 0, final=True)
    again = publish(sessions, second_attempt(sessions, claim), 0, final=True)
    with sessions.begin() as session:
        kept = [row.id for row in checkpoints.list_all(session, project_id, claim.job.id)]
        told = [event.kind for event in events.events_after(session, project_id, claim.job.id)]
        collected = session.scalars(select(Garbage.object_key)).all()
    assert (again.id, kept, told.count("checkpoint")) == (first.id, [first.id], 1)
    assert collected == ["2/teacher/0/True"]


def test_a_final_with_other_content_is_a_version_of_its_own(sessions: Sessions, claim: Claim) -> None:
    publish(sessions, claim.lease, 0, final=True)
    with sessions.begin() as session:
        other = NewCheckpoint("teacher", 0, 0, True, "teacher/final.pt", "other", 1, "another hash")
        newer = checkpoints.publish(session, claim.lease, other)
    with sessions.begin() as session:
        (teacher,) = checkpoints.to_resume(session, claim.job.id)
    assert teacher.finals[0][0].id == newer.id
    assert len(teacher.finals[0]) == 2


def test_a_damaged_final_is_published_again(sessions: Sessions, claim: Claim) -> None:
    row = publish(sessions, claim.lease, 0, final=True)
    with sessions.begin() as session:
        checkpoints.mark_damaged(session, claim.lease, row.id, "too short")
    assert publish(sessions, second_attempt(sessions, claim), 0, final=True).id != row.id


def test_resuming_takes_finals_and_else_the_newest_first(sessions: Sessions, claim: Claim) -> None:
    publish(sessions, claim.lease, 5, final=True)
    for step in (3, 6):
        publish(sessions, claim.lease, step, stage="baseline")
    with sessions.begin() as session:
        baseline, teacher = checkpoints.to_resume(session, claim.job.id)
    assert (baseline.stage, baseline.finals, [row.step for row in baseline.steps]) == ("baseline", [], [6, 3])
    assert (teacher.stage, [[row.step for row in versions] for versions in teacher.finals]) == ("teacher", [[5]])


def test_a_damaged_checkpoint_is_neither_resumed_nor_listed(sessions: Sessions, claim: Claim, project_id: str) -> None:
    row = publish(sessions, claim.lease, 3)
    with sessions.begin() as session:
        checkpoints.mark_damaged(session, claim.lease, row.id, "too short")
    with sessions.begin() as session:
        assert checkpoints.to_resume(session, claim.job.id) == []
        assert checkpoints.list_all(session, project_id, claim.job.id) == []
        assert "too short" in events.events_after(session, project_id, claim.job.id)[-1].data["message"]


def artifact(key: str) -> NewArtifact:
    return NewArtifact("student", "onnx", "student.onnx", key, "application/octet-stream", 1, "s", {"map50": 0.5})


def test_of_each_file_the_newest_attempts_is_listed(sessions: Sessions, claim: Claim, project_id: str) -> None:
    with sessions.begin() as session:
        artifacts.publish(session, claim.lease, artifact("one"))
    lease = second_attempt(sessions, claim)
    with sessions.begin() as session:
        newest = artifacts.publish(session, lease, artifact("two"))
    with sessions.begin() as session:
        assert [row.id for row in artifacts.list_newest(session, project_id, claim.job.id)] == [newest.id]


def test_a_file_written_again_replaces_the_former(sessions: Sessions, claim: Claim, project_id: str) -> None:
    for key in ("one", "two"):
        with sessions.begin() as session:
            artifacts.publish(session, claim.lease, artifact(key))
    with sessions.begin() as session:
        assert [row.object_key for row in artifacts.list_newest(session, project_id, claim.job.id)] == ["two"]
        assert session.scalars(select(Garbage.object_key)).all() == ["one"]


def test_publishing_the_same_file_again_is_the_same_artifact(sessions: Sessions, claim: Claim) -> None:
    """Its row was committed, and the connection broke before anybody could say so."""
    made = []
    for _ in range(2):
        with sessions.begin() as session:
            made.append(artifacts.publish(session, claim.lease, artifact("one")).id)
    assert made[0] == made[1]
    with sessions.begin() as session:
        assert session.scalars(select(Garbage.object_key)).all() == []


def test_only_the_holder_of_the_lease_calls_a_checkpoint_damaged(sessions: Sessions, claim: Claim) -> None:
    row = publish(sessions, claim.lease, 3)
    second_attempt(sessions, claim)
    with pytest.raises(LeaseLost), sessions.begin() as session:
        checkpoints.mark_damaged(session, claim.lease, row.id, "too short")
    with sessions.begin() as session:
        assert session.get_one(Checkpoint, row.id).damaged_at is None


def test_memory_may_run_out_as_often_as_its_budget_says(sessions: Sessions, claim: Claim) -> None:
    error = {"code": "out_of_memory", "message": "m", "hint": ""}
    with sessions.begin() as session:
        assert attempts.shrink(session, claim.lease, 4, error, Trace("m")) == "queued"
    with sessions.begin() as session:
        again = leases.claim(session, claim.job.id, worker_id="w", lease=timedelta(seconds=75))
        assert again is not None
        assert attempts.shrink(session, again.lease, 2, error, Trace("m")) == "failed"


def test_another_projects_files_are_not_found(sessions: Sessions, claim: Claim, project_id: str) -> None:
    with sessions.begin() as session:
        row = artifacts.publish(session, claim.lease, artifact("one"))
        other = projects.ensure(session, "other")
        assert artifacts.get(session, project_id, row.id).id == row.id
        with pytest.raises(NotFound):
            artifacts.get(session, other.id, row.id)


@pytest.mark.parametrize(
    "read", [metrics.series, metrics.latest, checkpoints.list_all, artifacts.list_newest, events.events_after]
)
def test_another_projects_job_shows_nothing(sessions: Sessions, claim: Claim, read: Callable[..., object]) -> None:
    with sessions.begin() as session:
        other = projects.ensure(session, "other")
        with pytest.raises(NotFound):
            read(session, other.id, claim.job.id)


def test_text_that_postgresql_refuses_is_written_without_harm(sessions: Sessions, claim: Claim) -> None:
    error = {"code": "bad_data", "message": "caf\udce9\0.xml", "hint": ""}
    with sessions.begin() as session:
        attempts.fail(session, claim.lease, error, Trace("a\0b\udce9", log_tail="\0"))
    with sessions.begin() as session:
        job = session.get_one(Job, claim.job.id)
    assert job.error == {"code": "bad_data", "message": "caf?.xml", "hint": ""}
