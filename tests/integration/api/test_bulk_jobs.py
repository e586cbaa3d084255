"""`POST /v1/jobs/bulk` on real PostgreSQL."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec


@pytest.fixture
def spec(job_spec: JobSpec) -> dict[str, Any]:
    body: dict[str, Any] = job_spec.model_dump(mode="json")
    return body


def test_each_item_is_made_or_refused_by_itself(client: TestClient, spec: dict[str, Any]) -> None:
    items = [
        {"spec": spec, "priority": "high"},
        {"spec": spec | {"seeds": [1, 1]}},
        {"spec": spec | {"dataset": {"id": "ds_gone"}}},
        {"spec": spec, "device_class": "nowhere"},
        {"spec": spec | {"name": "last"}},
    ]
    answer = client.post("/v1/jobs/bulk", json={"jobs": items})
    assert answer.status_code == 207
    found = answer.json()
    assert (found["created"], found["refused"]) == (2, 3)
    assert [one["status"] for one in found["data"]] == [201, 422, 404, 422, 201]
    assert [one["index"] for one in found["data"]] == list(range(5))
    assert found["data"][0]["job"]["priority"] == "high"
    assert [one["problem"]["errors"][0]["path"] for one in found["data"][1:4]] == [
        "seeds",
        "dataset.id",
        "device_class",
    ]
    listed = client.get("/v1/jobs").json()["data"]
    assert [job["id"] for job in listed] == [found["data"][4]["job"]["id"], found["data"][0]["job"]["id"]]


def test_the_same_request_again_makes_no_job_twice(client: TestClient, spec: dict[str, Any]) -> None:
    body = {"jobs": [{"spec": spec}, {"spec": spec, "idempotency_key": "own"}]}
    first = client.post("/v1/jobs/bulk", json=body, headers={"idempotency-key": "many"}).json()["data"]
    second = client.post("/v1/jobs/bulk", json=body, headers={"idempotency-key": "many"}).json()["data"]
    assert [one["job"]["id"] for one in first] == [one["job"]["id"] for one in second]
    assert [one["replayed"] for one in first + second] == [False, False, True, True]


def test_no_more_than_a_hundred_are_taken(client: TestClient, spec: dict[str, Any]) -> None:
    refused = client.post("/v1/jobs/bulk", json={"jobs": [{"spec": spec}] * 101})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "jobs"
