"""Projects, their keys, limits and use; and the book of who did what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.main import create_app
from fgfi_core.spec import JobSpec
from store import projects
from store.database import Sessions
from store.leases import Claim
from store.principal import Scope
from store.settings import GroupAccess, Settings
from store.tables import Attempt, Job

MakeKey = Callable[..., str]
As = Callable[..., TestClient]


@pytest.fixture
def holding(app: FastAPI, make_key: MakeKey) -> As:
    """A client with a key of these scopes, or with this very key."""

    def make(*scopes: Scope, token: str | None = None) -> TestClient:
        headers = {"authorization": f"Bearer {token or make_key(*scopes)}"}
        return TestClient(app, base_url="http://localhost", headers=headers)

    return make


@pytest.fixture
def operator(holding: As) -> TestClient:
    return holding("operator")


def post_job(client: TestClient, spec: JobSpec) -> Any:
    return client.post("/v1/jobs", json=spec.model_dump(mode="json", exclude_none=True))


def test_an_operator_makes_a_project_and_its_first_key(operator: TestClient, holding: As, project_id: str) -> None:
    made = operator.post("/v1/projects", json={"name": "cells", "limits": {"jobs": 2}})
    assert made.status_code == 201
    project = made.json()
    assert project["limits"] == {"jobs": 2, "bytes": None, "device_hours": None}
    assert {row["id"] for row in operator.get("/v1/projects").json()["data"]} == {project_id, project["id"]}
    again = operator.post("/v1/projects", json={"name": "cells"})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")

    key = operator.post(f"{made.headers['location']}/keys", json={"name": "first", "scopes": ["admin"]})
    member = holding(token=key.json()["token"])
    assert [row["name"] for row in member.get("/v1/projects").json()["data"]] == ["cells"]
    assert member.get(f"/v1/projects/{project_id}").status_code == 404
    assert member.patch(f"/v1/projects/{project_id}", json={"name": "mine"}).status_code == 404
    renamed = member.patch(f"/v1/projects/{project['id']}", json={"name": "more cells"})
    assert renamed.json()["name"] == "more cells"


def test_only_an_operator_rules_limits_and_projects(client: TestClient, project_id: str) -> None:
    assert client.post("/v1/projects", json={"name": "x"}).json()["code"] == "scope_missing"
    raised = client.patch(f"/v1/projects/{project_id}", json={"limits": {"jobs": 10}})
    assert (raised.status_code, raised.json()["code"]) == (403, "scope_missing")
    crowned = client.post("/v1/keys", json={"name": "x", "scopes": ["operator"]})
    assert (crowned.status_code, crowned.json()["code"]) == (403, "scope_not_held")


def test_an_admin_does_not_rotate_itself_into_an_operator(client: TestClient, operator: TestClient) -> None:
    greater = operator.post("/v1/keys", json={"name": "o", "scopes": ["operator"]}).json()["id"]
    assert client.post(f"/v1/keys/{greater}/rotate").json()["code"] == "scope_not_held"


@pytest.mark.parametrize("limits", [{"jobs": -1}, {"bytes": 1e300}, {"device_hours": "many"}, {"gpus": 1}])
def test_limits_that_make_no_sense_are_refused(
    operator: TestClient, project_id: str, limits: dict[str, object]
) -> None:
    answer = operator.patch(f"/v1/projects/{project_id}", json={"limits": limits})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].startswith("limits.")


def test_a_key_is_rotated_without_a_gap(client: TestClient, holding: As) -> None:
    old = client.post("/v1/keys", json={"name": "ci", "scopes": ["read"]}).json()
    new = client.post(f"/v1/keys/{old['id']}/rotate", json={"overlap_hours": 1}).json()
    for token in (old["token"], new["token"]):
        assert holding(token=token).get("/v1/jobs").status_code == 200
    shown = client.get(f"/v1/keys/{old['id']}").json()
    assert shown["expires_at"] is not None
    assert shown["last_used_at"] is not None
    assert client.post(f"/v1/keys/{new['id']}/rotate", json={"overlap_hours": 0}).status_code == 201
    assert holding(token=new["token"]).get("/v1/jobs").status_code == 401
    assert new["id"] in {row["id"] for row in client.get("/v1/keys?revoked=true").json()["data"]}


def test_the_limit_of_jobs_holds_for_new_cloned_and_retried_ones(
    client: TestClient, operator: TestClient, job_spec: JobSpec, project_id: str
) -> None:
    operator.patch(f"/v1/projects/{project_id}", json={"limits": {"jobs": 2}})
    first = post_job(client, job_spec).json()["id"]
    assert post_job(client, job_spec).status_code == 201
    refused = post_job(client, job_spec)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_jobs")
    assert "2 jobs that are not over, and may have 2" in refused.json()["detail"]
    assert client.post(f"/v1/jobs/{first}/clone").json()["code"] == "too_many_jobs"
    client.post(f"/v1/jobs/{first}/cancel")
    assert post_job(client, job_spec).status_code == 201
    assert client.post(f"/v1/jobs/{first}/retry").json()["code"] == "too_many_jobs"
    usage = client.get("/v1/usage").json()
    assert usage["jobs"] == {"used": 2, "limit": 2}
    assert usage["jobs_by_state"] == {"queued": 2, "cancelled": 1}


def test_device_hours_count_until_now_and_stop_new_jobs_when_they_are_spent(
    client: TestClient,
    operator: TestClient,
    sessions: Sessions,
    job_spec: JobSpec,
    make_job: Callable[[], Job],
    claim: Callable[[Job], Claim],
    project_id: str,
) -> None:
    taken = claim(make_job())
    with sessions.begin() as session:
        attempt = session.get_one(Attempt, (taken.lease.job_id, taken.lease.attempt))
        attempt.started_at -= timedelta(days=40)  # It runs still; of this month all hours count, and no others.
    usage = client.get("/v1/usage").json()
    assert len(usage["days"]) == 30
    assert all(day["device_hours"] == pytest.approx(24, abs=0.01) for day in usage["days"][:-1])
    assert (
        usage["device_hours"]["used"]
        == pytest.approx(
            sum(day["device_hours"] for day in usage["days"] if day["day"] >= usage["month_begins"][:10]), abs=0.01
        )
        or usage["month_begins"][:10] < usage["days"][0]["day"]
    )
    operator.patch(f"/v1/projects/{project_id}", json={"limits": {"device_hours": 0}})
    refused = post_job(client, job_spec)
    assert (refused.status_code, refused.json()["code"]) == (403, "device_hours_spent")
    assert "A new month begins at" in refused.json()["hint"]


def test_a_projects_own_bytes_come_before_the_installations(
    client: TestClient, operator: TestClient, project_id: str
) -> None:
    operator.patch(f"/v1/projects/{project_id}", json={"limits": {"bytes": 100}})
    begun = {"name": "cells", "size": 101, "media_type": "application/zip"}
    refused = client.post("/v1/uploads", json=begun)
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_exceeded")
    assert client.post("/v1/uploads", json={**begun, "size": 60}).status_code == 201
    assert client.get("/v1/usage").json()["bytes"] == {"used": 60, "limit": 100}


def test_what_was_done_is_in_the_book_with_who_and_from_where(
    client: TestClient, visitor: TestClient, job_spec: JobSpec
) -> None:
    posted = post_job(client, job_spec)
    job = posted.json()["id"]
    visitor.post(f"/jobs/{job}/cancel", headers={"sec-fetch-site": "same-origin"})
    entries = client.get("/v1/audit", params={"resource": job}).json()["data"]
    assert [(entry["action"], entry["actor_kind"]) for entry in entries] == [
        ("job.cancel", "link"),
        ("job.create", "key"),
    ]
    created = entries[1]
    assert created["actor"].startswith("key_")
    assert created["address"] == "testclient"
    assert created["request_id"] == posted.headers["x-request-id"]
    assert client.get("/v1/audit", params={"action": "session."}).json()["data"][0]["action"] == "session.open"


def test_an_act_that_is_refused_leaves_no_entry(client: TestClient, job_spec: JobSpec) -> None:
    job = post_job(client, job_spec).json()["id"]
    assert client.post(f"/v1/jobs/{job}/resume").status_code == 409
    assert client.get("/v1/audit", params={"action": "job."}).json()["data"][0]["action"] == "job.create"


def test_the_book_is_read_page_by_page(client: TestClient) -> None:
    names = [client.post("/v1/keys", json={"name": f"key {n}"}).json()["name"] for n in range(5)]
    asked: dict[str, str] = {"action": "key.create", "limit": "2"}
    seen: list[str] = []
    while True:
        page = client.get("/v1/audit", params=asked).json()
        seen += [entry["detail"]["name"] for entry in page["data"]]
        if not page["has_more"]:
            break
        asked["cursor"] = page["next_cursor"]
    assert [name for name in seen if name in names] == names[::-1]


def test_no_secret_is_in_the_book(client: TestClient) -> None:
    made = client.post("/v1/keys", json={"name": "x"}).json()
    url = client.post("/v1/login-links").json()["url"]
    rotated = client.post(f"/v1/keys/{made['id']}/rotate").json()
    text = client.get("/v1/audit").text
    for secret in (made["token"], rotated["token"], url.partition("token=")[2]):
        assert secret not in text


def test_a_browser_is_logged_out_from_afar(client: TestClient, visitor: TestClient) -> None:
    (one,) = client.get("/v1/sessions").json()["data"]
    assert visitor.get("/jobs").status_code == 200
    assert client.delete(f"/v1/sessions/{one['id']}").status_code == 204
    assert visitor.get("/jobs").status_code == 401
    assert client.get("/v1/sessions").json()["data"] == []


def test_days_on_which_nothing_ran_have_no_hours(
    client: TestClient, make_job: Callable[[], Job], claim: Callable[[Job], Claim]
) -> None:
    claim(make_job())
    days = client.get("/v1/usage").json()["days"]
    assert [day["device_hours"] for day in days[:-2]] == [0.0] * 28
    assert sum(day["device_hours"] for day in days) < 1


@pytest.mark.parametrize(("name", "other"), [("default", "cells"), ("others", "vision")])
def test_an_admin_neither_takes_nor_leaves_a_name_that_the_login_provider_leads_to(
    settings: Settings, sessions: Sessions, make_key: MakeKey, name: str, other: str
) -> None:
    access = (GroupAccess("team", "default", "submit"), GroupAccess("*", "vision", "read"))
    app = create_app(settings.model_copy(update={"oidc_access": access}))
    with sessions.begin() as session:
        project = projects.ensure(session, name).id
    codes = []
    for scope in ("admin", "operator"):
        headers = {"authorization": f"Bearer {make_key(scope, project=project)}"}
        client = TestClient(app, base_url="http://localhost", headers=headers)
        codes.append(client.patch(f"/v1/projects/{project}", json={"name": other}).status_code)
    app.state.service.engine.dispose()
    assert codes == [403, 200]
