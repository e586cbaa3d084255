"""What KEDA asks the database: how many workers are wanted."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text, update

from store.database import Sessions
from store.tables import Job

FILE = Path(__file__).resolve().parents[3] / "deploy/kubernetes/keda/scaling.yaml"
QUERIES = {
    found["metadata"]["name"]: found["spec"]["triggers"][0]["metadata"]["query"]
    for found in yaml.safe_load_all(FILE.read_text())
    if found["kind"] == "ScaledObject"
}


def wanted(sessions: Sessions) -> dict[str, int]:
    with sessions() as session:
        return {name: int(session.scalar(text(query)) or 0) for name, query in QUERIES.items()}


@pytest.mark.parametrize(("queue", "cpu", "gpu"), [("jobs", 1, 0), ("jobs.cpu", 1, 0), ("jobs.gpu", 0, 1)])
def test_a_waiting_job_wants_a_worker_of_its_class(
    sessions: Sessions, make_job: Callable[[], Job], queue: str, cpu: int, gpu: int
) -> None:
    job = make_job()
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.id == job.id).values(queue=queue))

    assert wanted(sessions) == {"fgfi-worker-cpu": cpu, "fgfi-worker-gpu": gpu}


def test_a_paused_job_wants_none(sessions: Sessions, make_job: Callable[[], Job]) -> None:
    job = make_job()
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.id == job.id).values(state="paused"))

    assert wanted(sessions) == {"fgfi-worker-cpu": 0, "fgfi-worker-gpu": 0}
