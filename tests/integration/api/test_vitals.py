"""What Prometheus reads, and that each alert asks for what there is."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, update
from starlette.testclient import TestClient

from store import attempts, workers
from store.attempts import Budget, Trace
from store.database import Sessions
from store.leases import Claim
from store.tables import Job, Outbox

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
Samples = dict[tuple[str, str], float]


def samples(client: TestClient) -> Samples:
    """Values by name and the text of their only label."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
        if family.name.startswith("fgfi_") and not family.name.startswith("fgfi_http")
    }


def test_a_job_that_waits_beside_an_idle_worker_is_seen(
    client: TestClient, sessions: Sessions, make_job: Callable[[], Job]
) -> None:
    job = make_job()
    with sessions.begin() as session:
        session.execute(update(Job).values(available_at=func.clock_timestamp() - timedelta(minutes=10)))
        session.execute(update(Outbox).values(available_at=func.clock_timestamp() - timedelta(minutes=5)))
        for name, busy, trouble in (("idle", None, None), ("busy", job.id, None), ("ill", None, "a card is gone")):
            workers.seen(session, name, hostname="h", pid=1, queues=["jobs"], job_id=busy, trouble=trouble)

    found = samples(client)

    assert (found["fgfi_queue_jobs", "jobs"], found["fgfi_queue_idle_workers", "jobs"]) == (1, 1)
    assert found["fgfi_queue_oldest_seconds", "jobs"] == pytest.approx(600, abs=60)
    assert found["fgfi_outbox_oldest_seconds", ""] == pytest.approx(300, abs=60)
    assert (found["fgfi_workers", ""], found["fgfi_workers_troubled", ""]) == (3, 1)


def test_losses_of_the_last_hour_are_counted_by_their_reason(
    client: TestClient, sessions: Sessions, make_job: Callable[[], Job], claim: Callable[[Job], Claim]
) -> None:
    for reason in ("died", "died", "hung"):
        lease = claim(make_job()).lease
        with sessions.begin() as session:
            attempts.lose(session, lease, Budget(), Trace("It was lost.", reason=reason))

    found = samples(client)

    assert (found["fgfi_attempts_lost", "died"], found["fgfi_attempts_lost", "hung"]) == (2, 1)


def test_a_part_that_is_away_is_told_apart(client: TestClient) -> None:
    found = samples(client)  # Without a broker.

    assert {part: found["fgfi_part_up", part] for part in ("database", "broker", "store")} == {
        "database": 1,
        "broker": 0,
        "store": 1,
    }


def test_every_alert_asks_for_numbers_that_there_are_and_is_explained(client: TestClient) -> None:
    page = client.get("/metrics").text
    operations = (ROOT / "docs" / "operations.md").read_text()
    (group,) = yaml.safe_load((ROOT / "docker" / "alerts.yml").read_text())["groups"]

    assert len(group["rules"]) == 9
    for rule in group["rules"]:
        for name in re.findall(r"fgfi_\w+", rule["expr"]):
            assert re.search(rf"^# TYPE {name.removesuffix('_count')} ", page, re.MULTILINE), rule["alert"]
        assert rule["alert"] in operations
        assert rule["annotations"]["summary"]
