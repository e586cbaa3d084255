"""An archive of three parts, and the calls of /v1/uploads that tests make with it."""

import hashlib
import io
import zipfile
from typing import Any

from sqlalchemy import select
from starlette.testclient import TestClient

from store.database import Sessions
from store.objects import ObjectStore
from store.tables import Outbox, Upload

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
