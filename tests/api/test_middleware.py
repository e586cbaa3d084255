"""What surrounds every request."""

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]:8000"])
def test_our_own_hosts_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "[::2]", "", "127.0.0.1.evil:80"])
def test_other_hosts_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/healthz", headers={"host": host})
    assert answer.status_code == 400
    assert answer.json()["code"] == "host_not_allowed"


def test_every_answer_forbids_foreign_scripts(client: TestClient) -> None:
    for path in ("/healthz", "/nothing", "/static/css/tokens.css"):
        headers = client.get(path).headers
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_request_keeps_its_callers_id(client: TestClient) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"


def test_an_id_that_could_forge_a_log_line_is_replaced(client: TestClient) -> None:
    given = 'x" "event": "forged'
    assert client.get("/healthz", headers={"x-request-id": given}).headers["x-request-id"] != given
