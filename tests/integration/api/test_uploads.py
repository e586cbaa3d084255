"""/v1/uploads on real PostgreSQL and a real folder: an archive in parts, from its promise to its data set."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from store import datasets, receiving
from store.database import Sessions
from store.objects import ObjectStore
from store.settings import Settings
from store.tables import Garbage, Outbox, Upload
from tests.integration.api.parted_calls import (
    ARCHIVE,
    PART,
    PARTS,
    SHA256,
    begin,
    code,
    complete,
    nothing_is_left,
    send,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Parts of a size at which a small archive has several."""
    return settings.model_copy(update={"upload_part_bytes": PART})


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
