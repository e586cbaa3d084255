"""/v1/uploads on real PostgreSQL and a real folder: what must not get in."""

import base64
import hashlib
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.main import create_app
from store import projects
from store.database import Sessions
from store.objects import ObjectStore
from store.settings import Settings
from store.tables import Upload
from tests.integration.api.parted_calls import (
    ARCHIVE,
    PART,
    PARTS,
    PROMISE,
    SHA256,
    begin,
    code,
    complete,
    nothing_is_left,
    received,
    send,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Parts of a size at which a small archive has several."""
    return settings.model_copy(update={"upload_part_bytes": PART})


def test_parts_that_are_missing_are_named_and_the_upload_goes_on(client: TestClient) -> None:
    upload = begin(client)
    assert code(complete(client, upload["id"])) == (422, "upload_incomplete")
    send(client, upload["id"], 1)
    answer = complete(client, upload["id"])
    assert code(answer) == (422, "upload_incomplete")
    assert answer.json()["detail"] == f"2 of the 3 parts of upload '{upload['id']}' are missing: 2, 3."
    send(client, upload["id"], 2, 3)
    assert complete(client, upload["id"]).status_code == 200


def test_a_wrong_sha256_leaves_nothing_behind(client: TestClient, sessions: Sessions, objects: ObjectStore) -> None:
    upload = begin(client, sha256="0" * 64)
    send(client, upload["id"])
    answer = complete(client, upload["id"])
    assert code(answer) == (422, "content_mismatch")
    assert SHA256 in answer.json()["detail"]
    assert nothing_is_left(objects, sessions)
    assert client.get(f"/v1/uploads/{upload['id']}").json()["state"] == "aborted"
    assert code(complete(client, upload["id"])) == (409, "wrong_state")


def test_what_is_no_archive_is_refused_with_its_first_part(client: TestClient) -> None:
    upload = begin(client)
    answer = client.put(f"/v1/uploads/{upload['id']}/parts/1", content=b"%PDF" * (PART // 4))
    assert code(answer) == (415, "not_an_archive")
    assert received(client, upload["id"]) == []


def test_what_came_past_the_api_and_is_no_archive_leaves_nothing(
    client: TestClient, sessions: Sessions, objects: ObjectStore
) -> None:
    upload = begin(client, size=4, sha256=None)
    with sessions.begin() as session:
        row = session.get_one(Upload, upload["id"])
    objects.parts.put(row.object_key, row.store_token or "", 1, [b"%PDF"], size=4)
    assert code(complete(client, upload["id"])) == (415, "not_an_archive")
    assert nothing_is_left(objects, sessions)


@pytest.mark.parametrize("number", [0, 4, -1, 10**30])
def test_a_part_of_no_such_number_is_refused(client: TestClient, number: int) -> None:
    upload = begin(client)
    answer = client.put(f"/v1/uploads/{upload['id']}/parts/{number}", content=PARTS[0])
    assert code(answer) == (422, "part_refused")


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("content", [PARTS[1] + b"!", PARTS[1][:-1], b""])
def test_a_part_of_another_size_is_refused_and_leaves_what_was(
    client: TestClient, content: bytes, declared: bool
) -> None:
    upload = begin(client)
    send(client, upload["id"], 2)
    before = client.get(f"/v1/uploads/{upload['id']}").json()
    body = content if declared else iter([content])
    answer = client.put(f"/v1/uploads/{upload['id']}/parts/2", content=body)
    assert code(answer) == (422, "part_refused")
    assert client.get(f"/v1/uploads/{upload['id']}").json() == before


def test_a_part_is_held_to_its_digest(client: TestClient) -> None:
    upload = begin(client)
    path = f"/v1/uploads/{upload['id']}/parts/1"
    right, wrong = (base64.b64encode(hashlib.sha256(content).digest()).decode() for content in (PARTS[0], PARTS[1]))
    answer = client.put(path, content=PARTS[0], headers={"content-digest": f"sha-256=:{wrong}:"})
    assert code(answer) == (422, "part_refused")
    answer = client.put(path, content=PARTS[0], headers={"content-digest": "md5=:abc:"})
    assert code(answer) == (422, "invalid")
    answer = client.put(path, content=PARTS[0], headers={"content-digest": f"sha-256=:{right}:"})
    assert answer.json()["checksum"] == hashlib.sha256(PARTS[0]).hexdigest()


def test_a_part_goes_to_its_own_upload_alone(client: TestClient) -> None:
    ours, other = begin(client), begin(client, name="other")
    send(client, other["id"])
    assert received(client, ours["id"]) == []
    assert code(complete(client, ours["id"])) == (422, "upload_incomplete")


def test_another_projects_upload_is_not_there(
    client: TestClient, make_key: Callable[..., str], sessions: Sessions
) -> None:
    path = f"/v1/uploads/{begin(client)['id']}"
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    client.headers["authorization"] = f"Bearer {make_key('admin', project=other)}"
    calls = [("GET", path), ("GET", f"{path}/links"), ("POST", f"{path}/complete"), ("DELETE", path)]
    assert [client.request(*call).status_code for call in calls] == [404] * 4
    assert client.put(f"{path}/parts/1", content=PARTS[0]).status_code == 404
    assert begin(client)["received"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": -1},
        {"size": 2**64},
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "x" * 201},
        {"sha256": "abc"},
        {"sha256": "G" * 64},
        {"media_type": "application/pdf"},
        {"parts": 5},
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(client: TestClient, wrong: dict[str, object]) -> None:
    assert code(client.post("/v1/uploads", json={**PROMISE, **wrong})) == (422, "invalid")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/root/.ssh", "a\\..\\b", "~parts", "größe 日本 🦠"])
def test_a_name_leads_nowhere(client: TestClient, objects: ObjectStore, name: str) -> None:
    upload = begin(client, name=name)
    send(client, upload["id"])
    done = complete(client, upload["id"]).json()
    assert client.get(f"/v1/datasets/{done['dataset_id']}").json()["name"] == name
    assert [found.key for found in objects.list()] == [f"uploads/{upload['id']}/archive"]


@pytest.mark.parametrize("path", ["../../x", "up_x", "%2e%2e%2fx", "up_" + "a" * 5000])
def test_an_id_leads_nowhere(client: TestClient, path: str) -> None:
    answer = client.put(f"/v1/uploads/{path}/parts/1", content=PARTS[0])
    assert answer.status_code in {404, 405}


def limited(settings: Settings, key: str, **limits: int) -> tuple[FastAPI, TestClient]:
    app = create_app(settings.model_copy(update=limits))
    return app, TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {key}"})


def test_an_upload_past_the_limit_is_refused(settings: Settings, make_key: Callable[..., str]) -> None:
    app, client = limited(settings, make_key("submit"), max_upload_bytes=1000)
    assert code(client.post("/v1/uploads", json=PROMISE)) == (413, "too_large")
    app.state.service.engine.dispose()


def test_a_project_keeps_no_more_than_its_quota(settings: Settings, make_key: Callable[..., str]) -> None:
    app, client = limited(settings, make_key("submit", "read"), project_bytes=2 * len(ARCHIVE))
    first, second = begin(client), begin(client, name="second", sha256=None)
    refused = client.post("/v1/uploads", json={**PROMISE, "name": "third", "size": 1})
    assert code(refused) == (403, "quota_exceeded")
    assert begin(client)["id"] == first["id"]  # Going on costs nothing.

    send(client, first["id"])
    complete(client, first["id"])
    other = ARCHIVE[:-1] + b"\x01"  # Equal content would be kept once, which costs nothing.
    assert code(client.post("/v1/datasets", params={"name": "whole"}, content=other)) == (403, "quota_exceeded")
    assert len(client.get("/v1/datasets").json()["data"]) == 1
    client.delete(f"/v1/uploads/{second['id']}")
    assert client.post("/v1/datasets", params={"name": "whole"}, content=other).status_code == 201
    app.state.service.engine.dispose()


def test_a_folder_has_no_links(client: TestClient) -> None:
    upload = begin(client)
    assert code(client.get(f"/v1/uploads/{upload['id']}/links")) == (409, "no_links")
