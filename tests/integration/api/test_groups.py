"""/v1/groups on real PostgreSQL."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec
from store import attempts, projects
from store.attempts import NewMetric, Report, Trace
from store.database import Sessions
from store.leases import Claim
from store.tables import Group, Job, Outbox

PSI = [{"changes": {"method": {"threshold": psi}}} for psi in (0.3, 0.5)]
GAIN = {"differences": [0.03, 0.05], "mean": 0.04, "low": -0.09, "high": 0.17}


@pytest.fixture
def body(job_spec: JobSpec) -> dict[str, Any]:
    base = job_spec.model_dump(mode="json") | {"seeds": [0, 1]}
    return {"name": "psi", "base": base, "variants": PSI}


def count(sessions: Sessions, table: type[Job | Group | Outbox]) -> int:
    with sessions.begin() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_one_call_makes_a_job_for_each_variant_with_the_same_seeds(client: TestClient, body: dict[str, Any]) -> None:
    made = client.post("/v1/groups", json=body)
    assert made.status_code == 201, made.text
    group = made.json()
    assert made.headers["location"] == f"/v1/groups/{group['id']}"
    assert (group["arms"], group["states"], group["over"]) == (2, {"queued": 2}, False)
    assert [arm["label"] for arm in group["summary"]] == ["method.threshold=0.3", "method.threshold=0.5"]
    assert (group["differs"], group["fair"]) == (["method.threshold"], True)
    for arm, psi in zip(group["summary"], (0.3, 0.5), strict=True):
        job = client.get(f"/v1/jobs/{arm['job_id']}").json()
        assert (job["spec"]["method"]["threshold"], job["spec"]["seeds"]) == (psi, [0, 1])
        assert (job["group_id"], job["arm"], job["name"]) == (group["id"], arm["label"], f"psi: {arm['label']}")
    listed = client.get("/v1/jobs", params={"group": group["id"]}).json()["data"]
    assert {job["id"] for job in listed} == {arm["job_id"] for arm in group["summary"]}


def test_all_arms_are_made_or_none(client: TestClient, body: dict[str, Any], sessions: Sessions) -> None:
    body["variants"] = [*PSI, {"label": "wrong", "changes": {"method": {"threshold": 7}}}]
    refused = client.post("/v1/groups", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert refused.json()["detail"].startswith("Variant 'wrong': method.threshold: ")
    assert refused.json()["errors"][0]["path"] == "variants[2].method.threshold"
    assert [count(sessions, table) for table in (Group, Job, Outbox)] == [0, 0, 0]


def test_a_data_set_that_is_not_there_is_told_of_the_variant_that_names_it(
    client: TestClient, body: dict[str, Any]
) -> None:
    body["variants"] = [{"changes": {}}, {"label": "elsewhere", "changes": {"dataset": {"id": "ds_gone"}}}]
    refused = client.post("/v1/groups", json=body)
    assert (refused.status_code, refused.json()["code"]) == (404, "dataset_not_found")
    assert refused.json()["errors"][0]["path"] == "variants[1].dataset.id"


def test_two_arms_of_one_label_are_refused(client: TestClient, body: dict[str, Any]) -> None:
    refused = client.post("/v1/groups", json=body | {"variants": [PSI[0], PSI[0]]})
    assert (refused.status_code, refused.json()["code"]) == (422, "same_label")
    assert refused.json()["errors"][0]["path"] == "variants[1].label"


def test_arms_that_measure_otherwise_are_no_fair_comparison(client: TestClient, body: dict[str, Any]) -> None:
    body["variants"] = [{"changes": {}}, {"changes": {"seeds": [5]}}]
    group = client.post("/v1/groups", json=body).json()
    assert (group["differs"], group["fair"]) == (["seeds"], False)


def test_another_method_differs_by_its_name_alone(client: TestClient, body: dict[str, Any]) -> None:
    body["variants"] = [{"changes": {}}, {"changes": {"method": {"name": "full-feature"}}}]
    group = client.post("/v1/groups", json=body).json()
    assert group["differs"] == ["method.name"]
    assert [arm["method"] for arm in group["summary"]] == ["fine-grained", "full-feature"]


def test_eight_posts_of_one_key_at_once_make_one_group(
    server: httpx.Client, body: dict[str, Any], sessions: Sessions
) -> None:
    answers: list[httpx.Response] = []
    together = threading.Barrier(8)

    def post() -> None:
        together.wait()
        answers.append(server.post("/v1/groups", json=body, headers={"idempotency-key": "once"}))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert [count(sessions, table) for table in (Group, Job)] == [1, 2]
    again = server.post("/v1/groups", json=body, headers={"idempotency-key": "once"})
    assert again.headers["idempotency-replayed"] == "true"
    other = server.post("/v1/groups", json=body | {"name": "other"}, headers={"idempotency-key": "once"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_the_summary_has_every_arms_accuracy_by_seed_and_its_gain(
    client: TestClient, body: dict[str, Any], sessions: Sessions, claim: Callable[[Job], Claim]
) -> None:
    group = client.post("/v1/groups", json=body).json()
    with sessions.begin() as session:
        job = session.get_one(Job, group["summary"][0]["job_id"])
    lease = claim(job).lease
    best = {"teacher": {0: 0.7}, "baseline": {0: 0.5, 1: 0.4}, "imitation": {0: 0.53, 1: 0.45}}
    metrics = [
        NewMetric(stage, seed, "val/map50", 10, 1.0, value)
        for stage, by_seed in best.items()
        for seed, value in by_seed.items()
    ]
    with sessions.begin() as session:
        attempts.write(session, lease, Report(1, metrics=metrics))
        attempts.succeed(session, lease, {"gain": GAIN}, Trace("done"))
    found = client.get(f"/v1/groups/{group['id']}").json()
    first, second = found["summary"]
    assert first["scores"] == {"teacher": 0.7, "plain": 0.45, "imitated": 0.49, "gap_closed": pytest.approx(0.16)}
    assert first["by_seed"]["imitated"] == {"0": 0.53, "1": 0.45}
    assert (first["state"], first["gain"]) == ("succeeded", GAIN)
    assert (second["state"], second["gain"], second["by_seed"]) == ("queued", None, {})
    assert found["states"] == {"queued": 1, "succeeded": 1}


def test_a_group_is_cancelled_as_one_and_what_is_over_stays(
    client: TestClient,
    body: dict[str, Any],
    sessions: Sessions,
    claim: Callable[[Job], Claim],
    fail: Callable[[Claim], None],
) -> None:
    body["variants"] = [*PSI, {"changes": {"method": {"threshold": 0.7}}}]
    group = client.post("/v1/groups", json=body).json()
    with sessions.begin() as session:
        failed, running = (session.get_one(Job, arm["job_id"]) for arm in group["summary"][:2])
    fail(claim(failed))
    claim(running)
    for _ in range(2):
        cancelled = client.post(f"/v1/groups/{group['id']}/cancel")
        assert cancelled.status_code == 200
        assert [arm["state"] for arm in cancelled.json()["summary"]] == ["failed", "cancelling", "cancelled"]


def test_a_group_is_deleted_with_its_jobs_once_they_are_over(
    client: TestClient, body: dict[str, Any], sessions: Sessions
) -> None:
    path = client.post("/v1/groups", json=body, headers={"idempotency-key": "once"}).headers["location"]
    refused = client.delete(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    client.post(f"{path}/cancel")
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert [count(sessions, table) for table in (Group, Job)] == [0, 0]


def test_an_arm_whose_job_was_deleted_stays_in_the_summary(
    client: TestClient, body: dict[str, Any], sessions: Sessions
) -> None:
    group = client.post("/v1/groups", json=body).json()
    with sessions.begin() as session:
        session.delete(session.get_one(Job, group["summary"][0]["job_id"]))
    first, second = client.get(f"/v1/groups/{group['id']}").json()["summary"]
    assert (first["label"], first["job_id"], first["state"]) == ("method.threshold=0.3", None, None)
    assert second["state"] == "queued"


def test_an_unchanged_group_is_not_sent_again(client: TestClient, body: dict[str, Any]) -> None:
    path = client.post("/v1/groups", json=body).headers["location"]
    etag = client.get(path).headers["etag"]
    assert client.get(path, headers={"if-none-match": etag}).status_code == 304
    client.post(f"{path}/cancel")
    assert client.get(path, headers={"if-none-match": etag}).status_code == 200


def test_groups_are_listed_newest_first_by_a_cursor(client: TestClient, body: dict[str, Any]) -> None:
    made = [client.post("/v1/groups", json=body | {"name": f"group {n}"}).json()["id"] for n in range(3)]
    first = client.get("/v1/groups", params={"limit": 2}).json()
    second = client.get("/v1/groups", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [group["id"] for group in first["data"] + second["data"]] == made[::-1]
    assert first["data"][0]["states"] == {"queued": 2}


def test_another_projects_group_is_not_there(
    client: TestClient, body: dict[str, Any], make_key: Callable[..., str], sessions: Sessions
) -> None:
    path = client.post("/v1/groups", json=body).headers["location"]
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    client.headers["authorization"] = f"Bearer {make_key('admin', project=other)}"
    answers = [client.get(path), client.post(f"{path}/cancel"), client.delete(path)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert client.get("/v1/groups").json()["data"] == []
