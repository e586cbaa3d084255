"""Who may do what: keys and scopes, sessions and their cookie, readiness."""

from collections import defaultdict
from collections.abc import Callable, Mapping

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.calls import calls as routes
from api.main import create_app
from store.settings import Settings

OPEN = {"/healthz", "/readyz", "/v1/errors", "/v1/errors/{code}"}
IDS: Mapping[str, str] = defaultdict(lambda: "x")


def calls(app: FastAPI) -> list[tuple[str, str]]:
    """Every call of the API that is described, with its method."""
    paths = app.openapi()["paths"]
    return [(method.upper(), path.format_map(IDS)) for path in paths.keys() - OPEN for method in paths[path]]


def test_every_call_needs_a_key(app: FastAPI, stranger: TestClient) -> None:
    answers = {call: stranger.request(*call) for call in calls(app)}
    assert len(answers) > 15
    assert {call: answer.status_code for call, answer in answers.items()} == dict.fromkeys(answers, 401)
    for answer in answers.values():
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_reading_key_changes_nothing(app: FastAPI, stranger: TestClient, make_key: Callable[..., str]) -> None:
    headers = {"authorization": f"Bearer {make_key('read')}"}
    changing = [call for call in calls(app) if call[0] != "GET"]
    codes = {call: stranger.request(*call, headers=headers).json()["code"] for call in changing}
    assert codes == dict.fromkeys(changing, "scope_missing")


@pytest.mark.parametrize("key", ["", "fgfi_wrong", "fgfi_" + "x" * 38, "ü" * 43])
def test_a_wrong_key_opens_nothing(stranger: TestClient, key: str) -> None:
    answer = stranger.get("/v1/jobs", headers={"authorization": f"Bearer {key}".encode()})
    assert answer.status_code == 401


def test_a_key_is_made_used_and_revoked(client: TestClient, stranger: TestClient) -> None:
    made = client.post("/v1/keys", json={"name": "ci", "scopes": ["read"]})
    assert made.status_code == 201
    headers = {"authorization": f"Bearer {made.json()['token']}"}
    assert stranger.get("/v1/jobs", headers=headers).status_code == 200
    assert made.json()["token"] not in client.get("/v1/keys").text
    assert client.delete(f"/v1/keys/{made.json()['id']}").status_code == 204
    assert stranger.get("/v1/jobs", headers=headers).status_code == 401


def test_a_login_link_opens_the_dashboard_once(client: TestClient, stranger: TestClient, app: FastAPI) -> None:
    url = client.post("/v1/login-links").json()["url"]
    link = url.partition("/login")[1] + url.partition("/login")[2]
    first = stranger.get(link)
    assert first.status_code == 303
    assert first.headers["location"] == "/jobs"
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert stranger.get("/jobs").status_code == 200
    other = TestClient(app, base_url="http://localhost")
    again = other.get(link)
    assert again.status_code == 403
    assert "used or is too old" in again.text


def test_without_a_session_the_dashboard_says_how_to_get_in(stranger: TestClient) -> None:
    answer = stranger.get("/jobs")
    assert answer.status_code == 401
    assert "/v1/login-links" in answer.text


def test_a_fragment_without_a_session_reloads_the_page(stranger: TestClient) -> None:
    assert stranger.get("/jobs/list", headers={"hx-request": "true"}).headers["hx-refresh"] == "true"


def test_a_session_may_use_the_api_from_our_own_pages_only(visitor: TestClient) -> None:
    assert visitor.get("/v1/jobs").status_code == 200
    made = {"name": "ci", "scopes": ["read"]}
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil"}):
        answer = visitor.post("/v1/keys", json=made, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == "cross_site"
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": "http://localhost"}):
        assert visitor.post("/v1/keys", json=made, headers=headers).status_code == 201


def test_logging_out_closes_the_session(visitor: TestClient) -> None:
    assert visitor.post("/logout", headers={"sec-fetch-site": "same-origin"}).status_code == 303
    assert visitor.get("/jobs").status_code == 401


def test_a_forged_session_opens_nothing(visitor: TestClient, stranger: TestClient) -> None:
    cookie = visitor.cookies["fgfi_session"]
    stranger.cookies["fgfi_session"] = cookie[:-2] + ("AA" if cookie[-2:] != "AA" else "BB")
    assert stranger.get("/v1/jobs").status_code == 401


def test_no_key_or_token_is_logged(client: TestClient, stranger: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    url = client.post("/v1/login-links").json()["url"]
    stranger.get(url)
    stranger.get("/v1/jobs", headers={"authorization": client.headers["authorization"]})
    logged = "".join(capfd.readouterr())
    assert "/login" in logged
    assert url.rpartition("=")[2] not in logged
    assert client.headers["authorization"].removeprefix("Bearer ") not in logged


def test_readiness_names_the_part_that_is_away(stranger: TestClient) -> None:
    answer = stranger.get("/readyz")  # The settings' broker is nowhere.
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "parts": {"database": True, "broker": False, "store": True}}


def test_the_service_is_ready_when_every_part_answers(settings: Settings, redis_url: str) -> None:
    app = create_app(settings.model_copy(update={"redis_url": redis_url}))
    assert TestClient(app, base_url="http://localhost").get("/readyz").json()["ready"] is True
    app.state.service.engine.dispose()


def test_requests_are_counted_by_route_and_not_by_id(client: TestClient) -> None:
    client.get("/v1/jobs/job_unknown")
    text = client.get("/metrics").text
    assert 'route="/v1/jobs/{job_id}"' in text
    assert "job_unknown" not in text


def test_the_routes_of_the_api_are_all_described(app: FastAPI) -> None:
    described = set(app.openapi()["paths"])
    found = {route.path for route in routes(app) if route.path.startswith("/v1")}
    assert len(found) > 20
    assert found == {path for path in described if path.startswith("/v1")}
