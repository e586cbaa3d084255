"""/v1/datasets on real PostgreSQL and a real folder."""

import hashlib
import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.testclient import TestClient

from api.main import create_app
from store import datasets, projects
from store.database import Sessions
from store.objects import ObjectStore
from store.settings import Settings
from worker.steward import Steward

MIB = 2**20


@pytest.fixture(scope="module")
def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("cells/ImageSets/Main/test.txt", "1\n" * 1000)
    return buffer.getvalue()


def stored(sessions: Sessions, objects: ObjectStore, project_id: str, dataset_id: str) -> bytes:
    with sessions.begin() as session:
        key = datasets.get(session, project_id, dataset_id).object_key
    return b"".join(objects.get(key))


def test_a_raw_body_is_stored_as_it_came(
    client: TestClient, archive: bytes, sessions: Sessions, objects: ObjectStore, project_id: str
) -> None:
    answer = client.post("/v1/datasets", params={"name": "cells"}, content=archive)
    assert answer.status_code == 201
    body = answer.json()
    assert body["state"] == "checking"
    assert body["size"] == len(archive)
    assert body["sha256"] == hashlib.sha256(archive).hexdigest()
    assert stored(sessions, objects, project_id, body["id"]) == archive
    assert client.get(answer.headers["location"]).json() == body


def test_a_form_is_stored_without_what_is_around_the_file(
    client: TestClient, archive: bytes, sessions: Sessions, objects: ObjectStore, project_id: str
) -> None:
    answer = client.post(
        "/v1/datasets", params={"name": "cells"}, data={"comment": "hello"}, files={"file": ("c.zip", archive)}
    )
    assert answer.status_code == 201
    assert stored(sessions, objects, project_id, answer.json()["id"]) == archive


def test_what_is_no_archive_is_refused_by_its_first_bytes(client: TestClient, objects: ObjectStore) -> None:
    answer = client.post("/v1/datasets", params={"name": "x"}, content=b"%PDF-1.7 " * 1000)
    assert answer.status_code == 415
    problem = answer.json()
    assert problem["code"] == "not_an_archive"
    assert problem["detail"] == "The upload is no archive: it begins with the bytes 25 50 44 46 2d 31 2e 37."
    assert "zip" in problem["hint"]
    assert client.get("/v1/datasets").json()["data"] == []
    assert list(objects.list()) == []


@pytest.mark.parametrize("content", [b"", b"PK"])
def test_an_upload_of_next_to_nothing_is_refused(client: TestClient, content: bytes) -> None:
    assert client.post("/v1/datasets", params={"name": "x"}, content=content).status_code in {415, 422}


def test_a_form_without_a_file_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/datasets", params={"name": "x"}, files={"comment": (None, "hello")})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "The form holds no file."


def test_a_name_is_needed(client: TestClient, archive: bytes) -> None:
    answer = client.post("/v1/datasets", content=archive)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": "name", "message": "is required", "hint": "Add 'name'."}]


@pytest.mark.parametrize("declared", [True, False])
def test_an_upload_past_the_limit_is_refused_and_leaves_nothing(
    settings: Settings, archive: bytes, make_key: Callable[..., str], objects: ObjectStore, declared: bool
) -> None:
    app = create_app(settings.model_copy(update={"max_upload_bytes": 1000}))
    client = TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {make_key('submit')}"})

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(archive), 600):
            yield archive[start : start + 600]

    content = archive if declared else pieces()
    answer = client.post("/v1/datasets", params={"name": "big"}, content=content)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/v1/datasets").json()["data"] == []
    assert list(objects.list()) == []
    app.state.service.engine.dispose()


def test_an_upload_is_never_held_in_memory(server: httpx.Client, archive: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield archive
        for _ in range(64):
            yield bytes(MIB)

    tracemalloc.start()
    answer = server.post("/v1/datasets", params={"name": "large"}, content=pieces())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 201
    assert answer.json()["size"] == len(archive) + 64 * MIB
    assert peak < 24 * MIB


def test_a_broken_upload_leaves_nothing(server: httpx.Client, archive: bytes, objects: ObjectStore) -> None:
    def pieces() -> Iterator[bytes]:
        yield archive
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        server.post("/v1/datasets", params={"name": "broken"}, content=pieces())
    # The answer to the next request may overtake the clean-up of the last: ask until it is done.
    while server.get("/v1/datasets").json()["data"]:
        pass
    assert list(objects.list()) == []


def test_the_same_content_is_kept_once(
    client: TestClient, archive: bytes, objects: ObjectStore, settings: Settings, sessions: Sessions
) -> None:
    first = client.post("/v1/datasets", params={"name": "cells"}, content=archive)
    again = client.post("/v1/datasets", params={"name": "cells again"}, content=archive)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    Steward(settings, sessions, objects).collect()
    assert len(list(objects.list())) == 1
    assert len(client.get("/v1/datasets").json()["data"]) == 1


def test_content_that_is_there_needs_no_room_in_a_full_project(
    settings: Settings, archive: bytes, make_key: Callable[..., str]
) -> None:
    app = create_app(settings.model_copy(update={"project_bytes": len(archive)}))
    client = TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {make_key('submit')}"})

    answers = [client.post("/v1/datasets", params={"name": "x"}, content=archive).status_code for _ in range(2)]

    assert answers == [201, 200]
    assert client.post("/v1/datasets", params={"name": "x"}, content=archive + b" ").status_code == 403
    app.state.service.engine.dispose()


def test_another_project_s_content_is_no_reason_to_keep_less(
    client: TestClient, archive: bytes, make_key: Callable[..., str], sessions: Sessions
) -> None:
    first = client.post("/v1/datasets", params={"name": "x"}, content=archive)
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    client.headers["authorization"] = f"Bearer {make_key('admin', project=other)}"
    second = client.post("/v1/datasets", params={"name": "x"}, content=archive)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


def test_a_deleted_data_set_is_gone(client: TestClient, archive: bytes) -> None:
    path = client.post("/v1/datasets", params={"name": "x"}, content=archive).headers["location"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get("/v1/datasets").json()["data"] == []


def test_another_projects_data_set_is_not_there(
    client: TestClient, dataset_id: str, make_key: Callable[..., str], sessions: Sessions
) -> None:
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    client.headers["authorization"] = f"Bearer {make_key('admin', project=other)}"
    assert client.get(f"/v1/datasets/{dataset_id}").status_code == 404
    assert client.delete(f"/v1/datasets/{dataset_id}").status_code == 404


def test_the_check_s_report_can_be_read(
    client: TestClient, dataset_id: str, sessions: Sessions, project_id: str
) -> None:
    report = {"images": 364, "problems": [{"file": "a.xml", "line": 3, "message": "box outside"}]}
    with sessions.begin() as session:
        datasets.get(session, project_id, dataset_id).report = report
    assert client.get(f"/v1/datasets/{dataset_id}").json()["report"] == report
