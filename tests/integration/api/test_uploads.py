"""/v1/uploads on real PostgreSQL and a real folder: an archive in parts, and what must not get in."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from api.main import create_app
from store import datasets, projects, receiving
from store.database import Sessions
from store.objects import ObjectStore
from store.settings import Settings
from store.tables import Garbage, Outbox, Upload

PART = 1000


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("cells/ImageSets/Main/test.txt", "1\n" * 1200)
    return buffer.getvalue()


ARCHIVE = _archive()
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()
PARTS = [ARCHIVE[start : start + PART] for start in range(0, len(ARCHIVE), PART)]
PROMISE = {"name": "cells", "size": len(ARCHIVE), "media_type": "application/zip", "sha256": SHA256}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Parts of a size at which a small archive has several."""
    return settings.model_copy(update={"upload_part_bytes": PART})


def begin(client: TestClient, **changes: object) -> dict[str, Any]:
    answer = client.post("/v1/uploads", json={**PROMISE, **changes})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/uploads/{body['id']}"
    return body


def send(client: TestClient, upload_id: str, *numbers: int) -> None:
    for number in numbers or range(1, len(PARTS) + 1):
        answer = client.put(f"/v1/uploads/{upload_id}/parts/{number}", content=PARTS[number - 1])
        assert answer.status_code == 200, answer.text


def complete(client: TestClient, upload_id: str) -> Any:
    return client.post(f"/v1/uploads/{upload_id}/complete")


def received(client: TestClient, upload_id: str) -> list[int]:
    return [part["number"] for part in client.get(f"/v1/uploads/{upload_id}").json()["received"]]


def nothing_is_left(objects: ObjectStore, sessions: Sessions) -> bool:
    """No object, no part, no data set that waits for a check."""
    with sessions.begin() as session:
        tokens = session.scalars(select(Upload.store_token).where(Upload.store_token.is_not(None))).all()
        messages = session.scalars(select(Outbox.id)).all()
    return not (tokens or messages or list(objects.list()))


def code(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_parts_in_any_order_become_a_data_set_to_be_checked(
    client: TestClient, sessions: Sessions, objects: ObjectStore, project_id: str
) -> None:
    upload = begin(client)
    assert (upload["state"], upload["parts"], upload["part_size"]) == ("open", len(PARTS), PART)
    assert (upload["direct"], upload["checksum"], upload["received"]) == (False, "sha256", [])
    send(client, upload["id"], *range(len(PARTS), 0, -1))

    answer = complete(client, upload["id"])
    assert answer.status_code == 200
    done = answer.json()
    assert (done["state"], done["deduplicated"]) == ("completed", False)
    dataset = client.get(f"/v1/datasets/{done['dataset_id']}").json()
    assert {name: dataset[name] for name in ("name", "state", "size", "sha256")} == {
        "name": "cells",
        "state": "checking",
        "size": len(ARCHIVE),
        "sha256": SHA256,
    }
    with sessions.begin() as session:
        key = datasets.get(session, project_id, dataset["id"]).object_key
        assert session.scalars(select(Outbox.subject_id)).all() == [dataset["id"]]
    assert b"".join(objects.get(key)) == ARCHIVE


def test_completing_twice_makes_one_data_set(client: TestClient) -> None:
    upload = begin(client)
    send(client, upload["id"])
    first, second = complete(client, upload["id"]), complete(client, upload["id"])
    assert first.json() == second.json()
    assert len(client.get("/v1/datasets").json()["data"]) == 1


def test_the_same_promise_finds_its_upload_with_the_parts_that_are_there(client: TestClient) -> None:
    upload = begin(client)
    send(client, upload["id"], 2)
    again = begin(client)
    assert again["id"] == upload["id"]
    assert again["received"] == [
        {"number": 2, "size": PART, "checksum": hashlib.sha256(PARTS[1]).hexdigest()},
    ]


@pytest.mark.parametrize("other", [{"name": "other"}, {"sha256": "0" * 64}, {"sha256": None}, {"size": 5}])
def test_another_promise_is_another_upload(client: TestClient, other: dict[str, object]) -> None:
    assert begin(client)["id"] != begin(client, **other)["id"]


def test_content_that_is_there_is_not_sent_again(client: TestClient) -> None:
    upload = begin(client)
    send(client, upload["id"])
    dataset_id = complete(client, upload["id"]).json()["dataset_id"]

    again = begin(client, name="cells, once more")
    assert (again["state"], again["deduplicated"], again["dataset_id"]) == ("completed", True, dataset_id)


def test_content_that_turns_out_to_be_there_is_kept_once(client: TestClient, sessions: Sessions) -> None:
    first, second = begin(client), begin(client, sha256=None)
    for upload in (first, second):
        send(client, upload["id"])
    dataset_id = complete(client, first["id"]).json()["dataset_id"]
    done = complete(client, second["id"]).json()

    assert (done["deduplicated"], done["dataset_id"]) == (True, dataset_id)
    with sessions.begin() as session:
        assert session.scalars(select(Garbage.object_key)).all() == [f"uploads/{second['id']}/archive"]
        assert session.scalars(select(func.count()).select_from(Outbox)).one() == 1


def test_a_rejected_or_deleted_data_set_is_sent_anew(client: TestClient, sessions: Sessions, project_id: str) -> None:
    upload = begin(client)
    send(client, upload["id"])
    dataset_id = complete(client, upload["id"]).json()["dataset_id"]
    with sessions.begin() as session:
        datasets.get(session, project_id, dataset_id).state = "rejected"
    assert begin(client)["state"] == "open"
    with sessions.begin() as session:
        datasets.get(session, project_id, dataset_id).state = "ready"
    client.delete(f"/v1/datasets/{dataset_id}")
    assert begin(client)["state"] == "open"


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


def test_a_part_that_is_replaced_counts_once(client: TestClient, objects: ObjectStore) -> None:
    upload = begin(client)
    client.put(f"/v1/uploads/{upload['id']}/parts/2", content=b"x" * PART)
    send(client, upload["id"])
    assert complete(client, upload["id"]).status_code == 200
    assert b"".join(objects.get(f"uploads/{upload['id']}/archive")) == ARCHIVE


def test_a_part_that_comes_too_late_is_told_so(client: TestClient, objects: ObjectStore) -> None:
    upload = begin(client)
    send(client, upload["id"])
    path = f"/v1/uploads/{upload['id']}/parts/2"
    late: list[Any] = []

    def slow() -> Iterator[bytes]:
        # The upload is completed between two halves of a part.
        yield PARTS[1][:500]
        assert complete(client, upload["id"]).status_code == 200
        yield b"?" * 500

    late.append(client.put(path, content=slow()))
    assert code(late[0]) == (409, "wrong_state")
    assert b"".join(objects.get(f"uploads/{upload['id']}/archive")) == ARCHIVE
    assert code(client.put(path, content=PARTS[1])) == (409, "wrong_state")


def test_a_second_completion_meanwhile_is_told_to_wait(
    client: TestClient, sessions: Sessions, objects: ObjectStore
) -> None:
    upload = begin(client)
    send(client, upload["id"])
    seen: list[Any] = []

    def look(head: bytes) -> None:
        assert ARCHIVE.startswith(head)
        seen.append(complete(client, upload["id"]))
        seen.append(client.delete(f"/v1/uploads/{upload['id']}"))
        seen.append(client.put(f"/v1/uploads/{upload['id']}/parts/1", content=PARTS[0]))

    with sessions.begin() as session:
        project_id = session.get_one(Upload, upload["id"]).project_id
    receiving.complete(sessions, objects, project_id, upload["id"], look)
    assert [code(answer) for answer in seen] == [(409, "wrong_state")] * 3
    assert client.get(f"/v1/uploads/{upload['id']}").json()["state"] == "completed"


def test_a_completion_that_died_is_taken_up(client: TestClient, sessions: Sessions, objects: ObjectStore) -> None:
    upload = begin(client)
    send(client, upload["id"])

    class Died(BaseException):
        pass

    def die(_head: bytes) -> None:
        # As a killed process leaves it: joined, not said.
        with sessions.begin() as session:
            session.execute(update(Upload).values(joining_expires_at=func.clock_timestamp(), joining_token="lost"))
        raise Died

    with sessions.begin() as session:
        project_id = session.get_one(Upload, upload["id"]).project_id
    with pytest.raises(Died):
        receiving.complete(sessions, objects, project_id, upload["id"], die)
    assert complete(client, upload["id"]).json()["state"] == "completed"


def test_an_aborted_upload_is_gone_with_its_parts(client: TestClient, sessions: Sessions, objects: ObjectStore) -> None:
    upload = begin(client)
    send(client, upload["id"], 1)
    path = f"/v1/uploads/{upload['id']}"
    assert [client.delete(path).status_code for _ in range(2)] == [204, 204]
    assert nothing_is_left(objects, sessions)
    assert code(client.put(f"{path}/parts/1", content=PARTS[0])) == (409, "wrong_state")
    assert code(complete(client, upload["id"])) == (409, "wrong_state")
    assert begin(client)["id"] != upload["id"]


def test_a_completed_upload_is_not_aborted(client: TestClient) -> None:
    upload = begin(client)
    send(client, upload["id"])
    complete(client, upload["id"])
    assert code(client.delete(f"/v1/uploads/{upload['id']}")) == (409, "wrong_state")


def test_parts_that_somebody_removed_end_the_upload(client: TestClient, objects: ObjectStore) -> None:
    upload = begin(client)
    send(client, upload["id"], 1)
    objects.sweep(timedelta(0))
    answer = client.put(f"/v1/uploads/{upload['id']}/parts/2", content=PARTS[1])
    assert code(answer) == (409, "wrong_state")
    assert begin(client)["id"] != upload["id"]


def test_an_abandoned_upload_expires_with_its_parts(
    client: TestClient, sessions: Sessions, objects: ObjectStore
) -> None:
    upload, fresh = begin(client), begin(client, name="fresh")
    send(client, upload["id"], 1)
    with sessions.begin() as session:
        session.execute(update(Upload).where(Upload.id == upload["id"]).values(expires_at=func.clock_timestamp()))
    assert code(client.put(f"/v1/uploads/{upload['id']}/parts/2", content=PARTS[1])) == (409, "wrong_state")
    assert code(complete(client, upload["id"])) == (409, "wrong_state")
    receiving.tidy(sessions, objects)
    assert client.get(f"/v1/uploads/{upload['id']}").json()["state"] == "expired"
    send(client, fresh["id"])
    client.delete(f"/v1/uploads/{fresh['id']}")
    assert nothing_is_left(objects, sessions)


def test_what_ended_long_ago_is_forgotten(client: TestClient, sessions: Sessions, objects: ObjectStore) -> None:
    upload = begin(client)
    client.delete(f"/v1/uploads/{upload['id']}")
    with sessions.begin() as session:
        session.execute(update(Upload).values(ended_at=func.clock_timestamp() - timedelta(days=8)))
    receiving.tidy(sessions, objects)
    assert client.get(f"/v1/uploads/{upload['id']}").status_code == 404


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
    assert code(client.post("/v1/datasets", params={"name": "whole"}, content=ARCHIVE)) == (403, "quota_exceeded")
    assert len(client.get("/v1/datasets").json()["data"]) == 1
    client.delete(f"/v1/uploads/{second['id']}")
    assert client.post("/v1/datasets", params={"name": "whole"}, content=ARCHIVE).status_code == 201
    app.state.service.engine.dispose()


def test_a_folder_has_no_links(client: TestClient) -> None:
    upload = begin(client)
    assert code(client.get(f"/v1/uploads/{upload['id']}/links")) == (409, "no_links")
