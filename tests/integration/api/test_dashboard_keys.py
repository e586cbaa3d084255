"""Keys, usage and the audit log as pages: who may see them, and what they do."""

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from store import keys, logins, projects
from store.database import Sessions
from store.principal import Principal, Scope
from store.settings import Settings
from tests.integration.api.conftest import HOUR

OURS = {"sec-fetch-site": "same-origin"}
HOSTILE = '"><img src=x onerror=alert(1)>'


@pytest.fixture
def browser(app: FastAPI, sessions: Sessions, settings: Settings, project_id: str) -> Callable[..., TestClient]:
    """Lets a browser in with these scopes, into the default project unless named."""

    def let_in(*scopes: Scope, project: str = project_id) -> TestClient:
        with sessions.begin() as session:
            token = logins.create_link(session, Principal(project, frozenset(scopes)), settings.secret_key, HOUR)
        one = TestClient(app, base_url="http://localhost", follow_redirects=False, headers=OURS)
        assert one.get("/login", params={"token": token}).status_code == 303
        return one

    return let_in


def token_in(text: str) -> str:
    found = re.search(r"fgfi_[0-9A-Za-z]{38}", text)
    assert found is not None
    return found[0]


def test_a_key_is_shown_once_and_works(browser: Callable[..., TestClient], stranger: TestClient) -> None:
    admin = browser("admin")
    made = admin.post("/keys", data={"name": "ci", "scope": "read", "lasting": "30"})
    token = token_in(made.text)
    assert made.headers["cache-control"] == "no-store"
    assert stranger.get("/v1/jobs", headers={"authorization": f"Bearer {token}"}).status_code == 200
    assert token not in admin.get("/keys").text


def test_a_revoked_key_is_refused_and_hidden_until_asked_for(
    browser: Callable[..., TestClient], stranger: TestClient
) -> None:
    admin = browser("admin")
    token = token_in(admin.post("/keys", data={"name": "old laptop"}).text)
    key_id = re.search(r'id="(key_\w+)"', admin.get("/keys").text)
    assert key_id is not None
    assert admin.post(f"/keys/{key_id[1]}/revoke").status_code == 303
    assert stranger.get("/v1/jobs", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert "old laptop" not in admin.get("/keys").text
    assert "old laptop" in admin.get("/keys?revoked=on").text


def test_a_rotated_key_has_a_successor_and_works_on(browser: Callable[..., TestClient], stranger: TestClient) -> None:
    admin = browser("admin")
    first = token_in(admin.post("/keys", data={"name": "ci"}).text)
    key_id = re.search(r'id="(key_\w+)"', admin.get("/keys").text)
    assert key_id is not None
    second = token_in(admin.post(f"/keys/{key_id[1]}/rotate").text)
    assert first != second
    for token in (first, second):
        assert stranger.get("/v1/jobs", headers={"authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"name": "  "}, {"name": "n" * 201}, {"name": "n", "scope": "king"}, {"name": "n", "lasting": "ever"}]
)
def test_a_key_that_cannot_be_is_refused_with_a_word(
    browser: Callable[..., TestClient], fields: dict[str, str]
) -> None:
    refused = browser("admin").post("/keys", data=fields)
    assert refused.status_code == 422
    assert "Give it a name" in refused.text


def test_nobody_gives_a_scope_that_they_lack(browser: Callable[..., TestClient]) -> None:
    admin = browser("admin")
    assert 'value="operator"' not in admin.get("/keys").text
    assert admin.post("/keys", data={"name": "n", "scope": "operator"}).status_code == 403


@pytest.mark.parametrize("scope", ["read", "submit"])
def test_keys_and_audit_are_for_admins_and_usage_for_all(browser: Callable[..., TestClient], scope: Scope) -> None:
    guest = browser(scope)
    assert guest.get("/keys").status_code == 403
    assert guest.get("/audit").status_code == 403
    assert guest.post("/keys", data={"name": "n"}).status_code == 403
    assert guest.get("/usage").status_code == 200


def test_another_site_makes_no_key(browser: Callable[..., TestClient], sessions: Sessions, project_id: str) -> None:
    refused = browser("admin").post("/keys", data={"name": "n"}, headers={"sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    with sessions.begin() as session:
        assert keys.list_all(session, project_id) == []


def test_another_projects_keys_browsers_and_acts_are_not_there(
    browser: Callable[..., TestClient], sessions: Sessions, settings: Settings, project_id: str
) -> None:
    with sessions.begin() as session:
        theirs = keys.create(session, project_id, "foreign key", ["read"], settings.secret_key).row.id
        foreign = projects.ensure(session, "another").id
    other = browser("admin", project=foreign)
    assert "foreign key" not in other.get("/keys").text + other.get("/audit").text
    assert other.post(f"/keys/{theirs}/revoke").status_code == 404
    assert other.post(f"/keys/{theirs}/rotate").status_code == 404


def test_a_browser_is_logged_out_from_afar(browser: Callable[..., TestClient]) -> None:
    admin, guest = browser("admin"), browser("read")
    rows = re.findall(r'<tr id="(ses_\w+)">(.*?)</tr>', admin.get("/keys").text, re.DOTALL)
    other = next(session_id for session_id, row in rows if "this one" not in row)
    assert admin.post(f"/keys/sessions/{other}/end").status_code == 303
    assert guest.get("/jobs").status_code == 401


def test_acts_are_listed_filtered_and_escaped(browser: Callable[..., TestClient]) -> None:
    admin = browser("admin")
    admin.post("/keys", data={"name": HOSTILE, "scope": "read"})
    everything = admin.get("/audit").text
    assert "key.create" in everything
    assert "session.open" in everything
    assert "<img" not in everything
    only = admin.get("/audit?action=key.").text
    assert "key.create" in only
    assert "session.open" not in only
    assert "key.create" not in admin.get("/audit?until=2020-01-01").text
    assert "<img" not in admin.get("/audit", params={"actor": HOSTILE, "action": HOSTILE}).text


def test_a_long_log_goes_on_by_cursor_with_its_filters(
    browser: Callable[..., TestClient], sessions: Sessions, settings: Settings, project_id: str
) -> None:
    with sessions.begin() as session:
        for number in range(60):
            keys.create(session, project_id, f"k{number}", ["read"], settings.secret_key)
    admin = browser("admin")
    first = admin.get("/audit?action=key.").text
    older = re.search(r'href="(/audit\?action=key\.&amp;cursor=[^"]+)"', first)
    assert older is not None
    second = admin.get(older[1].replace("&amp;", "&")).text
    assert "name: k0," in second
    assert "name: k59" not in second
