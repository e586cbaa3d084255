"""Errors at the edge: always problem+json, always with a code."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

SPEC = {"content-type": "application/json"}


def problem(answer: object) -> dict[str, object]:
    assert getattr(answer, "headers")["content-type"] == "application/problem+json"  # noqa: B009 - any response
    body: dict[str, object] = answer.json()  # type: ignore[attr-defined]
    assert {"type", "title", "status", "code", "detail", "request_id"} <= body.keys()
    return body


def test_an_unknown_path(client: TestClient) -> None:
    body = problem(client.get("/v1/nothing"))
    assert (body["status"], body["code"], body["detail"]) == (404, "not_found", "There is nothing at /v1/nothing.")


def test_a_method_that_is_not_there(client: TestClient) -> None:
    answer = client.put("/v1/jobs")
    assert problem(answer)["code"] == "method_not_allowed"
    assert answer.headers["allow"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large(client: TestClient, declared: bool) -> None:
    body = b"x" * 20_000
    answer = client.post("/v1/jobs", content=body if declared else iter([body]), headers=SPEC)
    assert problem(answer)["code"] == "too_large"
    assert answer.status_code == 413


def test_a_body_of_another_kind(client: TestClient) -> None:
    answer = client.post("/v1/jobs", content=b"<job/>", headers={"content-type": "application/xml"})
    assert answer.status_code == 415
    assert "application/xml" in str(problem(answer)["detail"])


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/json", b'{"name": '),
        ("application/json", b"[1]"),
        ("application/json", b"\xff"),
        ("application/yaml", b"a: [1"),
        ("application/yaml", b"a: &x [1]\nb: *x\n"),
        ("application/yaml", b"\x00"),
    ],
)
def test_a_body_that_cannot_be_read(client: TestClient, kind: str, content: bytes) -> None:
    answer = client.post("/v1/jobs", content=content, headers={"content-type": kind})
    assert answer.status_code == 422
    assert problem(answer)["code"] == "invalid"


def test_yaml_that_breaks_off_is_told_with_its_line(client: TestClient) -> None:
    answer = client.post("/v1/jobs", content=b"name: x\nseeds: [1\n", headers={"content-type": "application/yaml"})
    assert str(problem(answer)["detail"]).startswith("The body is not YAML: line 3: ")
    assert "\n" not in str(problem(answer)["detail"])


def test_an_empty_body_is_said_to_be_empty(client: TestClient) -> None:
    assert "is empty" in str(problem(client.post("/v1/jobs", content=b"", headers=SPEC))["detail"])


def test_wrong_fields_are_named_one_by_one(client: TestClient) -> None:
    spec = {
        "dataset": {"id": "ds_1"},
        "teacher": {"detector": "ssd-shufflenetv2-1x", "epoch": 3},
        "student": {"detector": "shufflenet"},
        "schedule": {"batch_size": "many"},
        "method": {"name": "fine-grained", "threshold": 2},
        "seeds": [0, -1],
    }
    answer = client.post("/v1/jobs", json=spec)
    assert answer.status_code == 422
    errors = {error["path"]: error for error in problem(answer)["errors"]}  # type: ignore[attr-defined]
    assert errors.keys() == {
        "name",
        "teacher.epoch",
        "student.detector",
        "schedule.batch_size",
        "method.threshold",
        "seeds[1]",
    }
    assert errors["teacher.epoch"]["hint"] == "Did you mean 'epochs'?"
    assert errors["name"]["message"] == "is required"
    assert "/v1/methods" in errors["method.threshold"]["hint"]


def test_an_uncaught_error_says_nothing_of_the_inside(app: FastAPI, client: TestClient) -> None:
    @app.get("/boom")
    def boom() -> None:
        raise RuntimeError("the secret of the inside")

    answer = client.get("/boom", headers={"x-request-id": "find-me"})
    assert answer.status_code == 500
    assert problem(answer)["request_id"] == "find-me"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_away_is_said_to_be_away(client: TestClient) -> None:
    answer = client.get("/v1/jobs")
    assert answer.status_code == 503
    assert problem(answer)["code"] == "database_unavailable"
    assert answer.headers["retry-after"]


def test_the_allow_header_names_every_method_of_the_path(client: TestClient) -> None:
    assert client.request("PATCH", "/v1/keys").headers["allow"] == "GET, POST"
    assert client.request("PATCH", "/v1/jobs/bulk").headers["allow"] == "POST"


def test_a_body_that_is_no_utf8_is_said_to_be_none(client: TestClient) -> None:
    answer = client.post("/v1/keys", content=b"\xff\xfe", headers=SPEC)
    assert (answer.status_code, problem(answer)["code"]) == (422, "invalid")


@pytest.mark.parametrize("expires_at", [0, 1.5, True, "0.5", "2027-01-01T00:00:00"])
def test_a_moment_is_a_date_with_its_zone(client: TestClient, expires_at: object) -> None:
    answer = client.post("/v1/keys", json={"name": "ci", "expires_at": expires_at})
    assert answer.status_code == 422
    assert [error["path"] for error in problem(answer)["errors"]] == ["expires_at"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [True, "7", 0.5])
def test_a_number_is_a_number(client: TestClient, size: object) -> None:
    body = {"name": "cells", "media_type": "application/zip", "size": size}
    answer = client.post("/v1/uploads", json=body)
    assert answer.status_code == 422
    assert [error["path"] for error in problem(answer)["errors"]] == ["size"]  # type: ignore[attr-defined]
