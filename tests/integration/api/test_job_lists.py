"""What jobs are looked for by, on real PostgreSQL."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec

LIGHT, HEAVY = "ssd-shufflenetv2-0.25x", "ssd-shufflenetv2-1x"


@pytest.fixture
def post(client: TestClient, job_spec: JobSpec) -> Callable[..., str]:
    """Makes a job with some fields of its own; returns its id."""

    def make(**changes: Any) -> str:
        made = client.post("/v1/jobs", json=job_spec.model_dump(mode="json") | changes)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    return make


def found(client: TestClient, **query: str | int | list[str]) -> list[str]:
    answer = client.get("/v1/jobs", params=query)
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["data"]]


def test_by_detector_of_either_side_each_job_once(client: TestClient, post: Callable[..., str]) -> None:
    heavy, light = {"detector": HEAVY}, {"detector": LIGHT}
    both, mixed, neither = (
        post(teacher=heavy, student=heavy),
        post(teacher=heavy, student=light),
        post(teacher=light, student=light),
    )
    assert found(client, detector=HEAVY) == [mixed, both]
    assert found(client, detector=LIGHT) == [neither, mixed]
    assert found(client, detector=HEAVY, state="cancelled") == []
    first = client.get("/v1/jobs", params={"detector": HEAVY, "limit": 1}).json()
    assert found(client, detector=HEAVY, cursor=first["next_cursor"]) == [both]


def test_by_method(client: TestClient, post: Callable[..., str]) -> None:
    post()
    other = post(method={"name": "full-feature"})
    assert found(client, method="full-feature") == [other]
    assert found(client, method="full-feature", state=["queued", "running"]) == [other]
    assert found(client, method="nothing") == []


def test_by_metadata_as_text_number_or_truth_value(client: TestClient, post: Callable[..., str]) -> None:
    number, text = post(metadata={"line": 3, "night": True}), post(metadata={"line": "3", "plant": "a:b"})
    assert found(client, metadata="line:3") == [text, number]
    assert found(client, metadata=["line:3", "night:true"]) == [number]
    assert found(client, metadata="plant:a:b") == [text]
    assert found(client, metadata="line:4") == []
    assert found(client, metadata="line:1e999") == []


@pytest.mark.parametrize("entry", ["line", ":3"])
def test_metadata_without_a_key_or_value_is_refused(client: TestClient, entry: str) -> None:
    refused = client.get("/v1/jobs", params={"metadata": entry})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert refused.json()["errors"][0]["path"] == "metadata"


def test_filters_narrow_each_other(client: TestClient, post: Callable[..., str]) -> None:
    wanted = post(name="night shift", method={"name": "full-feature"}, metadata={"line": 3})
    post(name="night shift", metadata={"line": 3})
    post(name="day shift", method={"name": "full-feature"}, metadata={"line": 3})
    assert found(client, q="night", method="full-feature", metadata="line:3", detector=HEAVY) == [wanted]
