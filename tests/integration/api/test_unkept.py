"""Values that PostgreSQL cannot hold: refused wherever they come in, never a fault of the service."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec

NUL = "\0"


@pytest.mark.parametrize("query", ["q", "detector", "method", "group", "dataset"])
def test_a_query_with_a_nul_is_refused(client: TestClient, query: str) -> None:
    answer = client.get("/v1/jobs", params={query: f"a{NUL}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "NUL" in answer.json()["hint"]


@pytest.mark.parametrize("path", ["/v1/jobs/%00", "/v1/groups/%00", "/v1/models/a%00/content", "/v1/keys/%00"])
def test_nothing_has_an_id_with_a_nul(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_body_with_a_nul_is_refused_and_leaves_nothing(client: TestClient) -> None:
    before = client.get("/v1/keys").json()
    answer = client.post("/v1/keys", json={"name": f"a{NUL}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert client.get("/v1/keys").json() == before


def test_of_many_jobs_the_one_with_a_nul_is_refused(client: TestClient, job_spec: JobSpec) -> None:
    good: dict[str, Any] = {"spec": job_spec.model_dump(mode="json")}
    bad = good | {"idempotency_key": NUL}
    answer = client.post("/v1/jobs/bulk", json={"jobs": [good, bad, good]})
    assert [one["status"] for one in answer.json()["data"]] == [201, 422, 201]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T00:00:00Z"])
def test_a_moment_that_no_clock_of_ours_reaches_is_refused(client: TestClient, moment: str) -> None:
    answer = client.post("/v1/keys", json={"name": "ci", "expires_at": moment})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "expires_at"


def test_metadata_nested_beyond_reason_is_text_as_any_other(client: TestClient) -> None:
    assert client.get("/v1/jobs", params={"metadata": f"line:{'[' * 20_000}"}).json()["data"] == []


def test_the_last_day_of_all_is_no_day_to_look_for(visitor: TestClient) -> None:
    assert visitor.get("/audit", params={"until": "9999-12-31"}).status_code == 200
