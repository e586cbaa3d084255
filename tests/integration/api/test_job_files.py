"""A job's checkpoints, report and end, on real PostgreSQL."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from store import artifacts, attempts, checkpoints
from store.artifacts import NewArtifact
from store.attempts import Trace
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.leases import Claim
from store.tables import Garbage, Job

FILES = {"report/report.html": "html", "evaluation.json": "json", "exports/model_card.md": "md", "bundle.zip": "zip"}


@pytest.fixture
def done(sessions: Sessions, make_job: Callable[[], Job], claim: Callable[[Job], Claim]) -> Job:
    """A job that wrote a checkpoint and its files and succeeded."""
    job = make_job()
    lease = claim(job).lease
    with sessions.begin() as session:
        for step in (10, 20):
            path, key = f"checkpoints/teacher-0/step-{step}.pt", f"jobs/{job.id}/{step}"
            checkpoints.publish(session, lease, NewCheckpoint("teacher", 0, step, False, path, key, 5, "c" * 64))
        for path, kind in FILES.items():
            key = f"jobs/{job.id}/{path}"
            artifacts.publish(session, lease, NewArtifact(path, kind, path, key, "text/plain", 5, "a" * 64))
        attempts.succeed(session, lease, {"name": "cells"}, Trace("done"))
    return job


def test_checkpoints_are_listed_newest_first(client: TestClient, done: Job) -> None:
    found = client.get(f"/v1/jobs/{done.id}/checkpoints").json()["data"]
    assert [(one["stage"], one["step"], one["final"], one["damaged"]) for one in found] == [
        ("teacher", 20, False, False),
        ("teacher", 10, False, False),
    ]


def test_the_report_names_the_result_and_its_files(client: TestClient, done: Job) -> None:
    found = client.get(f"/v1/jobs/{done.id}/report").json()
    assert found["result"] == {"name": "cells"}
    names = [found[part]["name"] for part in ("page", "evaluation", "card", "bundle")]
    assert names == list(FILES)
    assert found["page"]["content"] == f"/v1/artifacts/{found['page']['id']}/content"


def test_a_job_that_has_nothing_yet_has_an_empty_report(client: TestClient, make_job: Callable[[], Job]) -> None:
    found = client.get(f"/v1/jobs/{make_job().id}/report").json()
    assert set(found.values()) == {None}


def test_a_job_that_is_over_is_deleted_and_its_objects_are_collected(
    client: TestClient, done: Job, sessions: Sessions
) -> None:
    assert client.delete(f"/v1/jobs/{done.id}").status_code == 204
    for path in ("", "/events", "/metrics", "/artifacts", "/checkpoints", "/report"):
        assert client.get(f"/v1/jobs/{done.id}{path}").status_code == 404
    assert client.delete(f"/v1/jobs/{done.id}").status_code == 404
    with sessions.begin() as session:
        due = select(Garbage.object_key).where(Garbage.due_at <= func.clock_timestamp() + timedelta(hours=2))
        assert set(session.scalars(due)) == {f"jobs/{done.id}/{name}" for name in (10, 20, *FILES)}


def test_a_job_that_may_still_run_is_not_deleted(client: TestClient, make_job: Callable[[], Job]) -> None:
    path = f"/v1/jobs/{make_job().id}"
    refused = client.delete(path)
    assert (refused.status_code, refused.json()["code"], refused.json()["hint"]) == (
        409,
        "wrong_state",
        "Cancel it first.",
    )
    assert client.get(path).status_code == 200
