"""`POST /v1/jobs?dry_run=true` on real PostgreSQL."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec
from store import workers
from store.database import Sessions
from store.leases import Claim
from store.tables import Base, Dataset, Job, JobEvent

TRAIN, VAL = 200, 50
SPLITS = {"trainval": {"images": TRAIN}, "test": {"images": VAL}}


@pytest.fixture
def spec(job_spec: JobSpec, sessions: Sessions) -> dict[str, Any]:
    """On a data set whose check counted its images."""
    with sessions.begin() as session:
        session.get_one(Dataset, job_spec.dataset.id).report = {"splits": SPLITS}
    body: dict[str, Any] = job_spec.model_dump(mode="json")
    return body


def try_out(client: TestClient, spec: dict[str, Any], **query: str) -> dict[str, Any]:
    answer = client.post("/v1/jobs", json=spec, params={"dry_run": "true", **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def chosen(found: dict[str, Any]) -> dict[str, Any]:
    return {one["path"]: one["value"] for one in found["resolved"]}


def test_nothing_is_written(client: TestClient, spec: dict[str, Any], sessions: Sessions) -> None:
    def counts() -> dict[str, int]:
        with sessions.begin() as session:
            return {
                table.name: session.scalars(select(func.count()).select_from(table)).one()
                for table in Base.metadata.sorted_tables
            }

    try_out(client, spec)  # The first request of a key notes that it was used.
    before = counts()
    answer = client.post("/v1/jobs", json=spec, params={"dry_run": "true"}, headers={"idempotency-key": "once"})
    assert answer.status_code == 200
    assert counts() == before


def test_what_is_wrong_with_a_spec_is_told_as_it_would_be(client: TestClient, spec: dict[str, Any]) -> None:
    mistakes: list[dict[str, Any]] = [
        {"dataset": spec["dataset"] | {"train": "nowhere"}},
        {"seeds": []},
        {"dataset": {"id": "ds_gone"}},
    ]
    for wrong in mistakes:
        dry, wet = (client.post(f"/v1/jobs{query}", json=spec | wrong) for query in ("?dry_run=true", ""))
        assert dry.status_code == wet.status_code != 201
        assert dry.json() | {"request_id": ""} == wet.json() | {"request_id": ""}


def test_what_is_automatic_is_told_as_far_as_the_device_is_known(client: TestClient, spec: dict[str, Any]) -> None:
    found = try_out(client, spec)
    assert chosen(found)["schedule.batch_size"] is None
    assert found["place"] == {"device_class": "any", "priority": "normal", "ahead": 0, "workers": 0, "device": None}
    on_cpu = chosen(try_out(client, spec | {"resources": {"device": "cpu"}}))
    assert (on_cpu["schedule.batch_size"], on_cpu["schedule.precision"]) == (8, "fp32")
    assert on_cpu["schedule.learning_rate"] == pytest.approx(0.2)  # ssd-shufflenetv2: 0.2 at 8.
    assert on_cpu["method.weight"] is None


def test_an_automatic_batch_is_one_that_all_processes_share(client: TestClient, spec: dict[str, Any]) -> None:
    found = chosen(try_out(client, spec | {"resources": {"device": "cpu", "count": 3}}))
    assert found["schedule.batch_size"] == 6  # Of 8 the most that three can share.
    assert found["schedule.learning_rate"] == pytest.approx(0.2 * math.sqrt(6 / 8))


def test_the_place_tells_workers_and_jobs_that_wait_before(
    client: TestClient, spec: dict[str, Any], sessions: Sessions, make_job: Callable[[], Job]
) -> None:
    make_job()
    make_job()
    with sessions.begin() as session:
        workers.seen(session, "w", hostname="h", pid=1, queues=["jobs"], devices=[{"name": "a card"}])
    assert try_out(client, spec)["place"] | {"priority": ""} == {
        "device_class": "any",
        "priority": "",
        "ahead": 2,
        "workers": 1,
        "device": "cuda",
    }
    assert try_out(client, spec, priority="high")["place"]["ahead"] == 0


def test_without_past_jobs_the_catalogue_gives_a_rough_estimate(client: TestClient, spec: dict[str, Any]) -> None:
    found = try_out(client, spec)["estimate"]
    assert (found["basis"], found["sure"], found["jobs"]) == ("catalogue", "rough", 0)
    assert found["low_seconds"] < found["total_seconds"] < found["high_seconds"]
    assert set(found["seconds"]) == {"teacher", "plain", "imitated"}
    twice = try_out(client, spec | {"schedule": {"epochs": 60}})["estimate"]
    assert twice["seconds"]["teacher"] == pytest.approx(2 * found["seconds"]["teacher"], rel=0.01)


def test_past_jobs_of_the_pair_are_taken_at_their_pace(
    client: TestClient,
    spec: dict[str, Any],
    sessions: Sessions,
    make_job: Callable[[], Job],
    claim: Callable[[Job], Claim],
) -> None:
    on_cpu = spec | {"resources": {"device": "cpu"}}
    resolved = on_cpu | {"schedule": on_cpu["schedule"] | {"batch_size": 8}}
    steps = 30 * (TRAIN // 8)
    trainings = [{"role": role, "steps": steps, "seconds": 100.0} for role in ("teacher", "plain", "imitated")]
    for _ in range(3):
        job = make_job()
        claim(job)
        with sessions.begin() as session:
            row = session.get_one(Job, job.id)
            row.resolved = {"device": "cpu", "spec": resolved}
            row.result = {"trainings": trainings}
            row.state, row.finished_at = "succeeded", func.clock_timestamp()
            data = {"stage": "export", "seconds": 12.5}
            session.add(JobEvent(job_id=job.id, sequence=99, attempt=1, kind="stage_finished", data=data))
    found = try_out(client, on_cpu)["estimate"]
    assert (found["basis"], found["sure"], found["jobs"]) == ("past-jobs", "fair", 3)
    assert found["seconds"] == {"teacher": 100.0, "plain": 100.0, "imitated": 100.0}
    assert found["total_seconds"] == 312.5
    two_seeds = try_out(client, on_cpu | {"seeds": [0, 1], "schedule": {"image_size": [640, 240]}})["estimate"]
    assert two_seeds["seconds"] == {"teacher": 200.0, "plain": 400.0, "imitated": 400.0}


def test_the_command_prints_it_and_queues_nothing(
    fgfi: Callable[..., tuple[int, str, str]], client: TestClient, spec: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(json.dumps(spec | {"resources": {"device": "cpu"}}))
    code, out, _ = fgfi("submit", file, "--dry-run")
    assert code == 0
    assert "the spec is valid; nothing was queued" in out
    assert "schedule.batch_size" in out
    assert "class cpu, normal priority: 0 jobs ahead, 0 workers there" in out
    assert "rough" in out
    code, out, _ = fgfi("submit", file, "--dry-run", "--json")
    assert json.loads(out)["spec"]["name"] == spec["name"]
    assert client.get("/v1/jobs").json()["data"] == []
