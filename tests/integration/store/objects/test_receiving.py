"""An upload in parts from the client to the data set's row, on every kind of store."""

import hashlib
import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update
from starlette.exceptions import StarletteDeprecationWarning

from api.main import create_app
from client.connection import Connection
from client.errors import ClientError
from client.http import Http
from client.parted import Watch
from client.sdk import Fgfi
from store import keys, receiving
from store.database import Sessions
from store.errors import ContentMismatch
from store.objects import ObjectStore, S3Store
from store.settings import Settings
from store.tables import Upload
from store.uploads import Asked, Limits

with warnings.catch_warnings():
    # It would rather have another client library; httpx is the one the project has.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

PART = 5 * 2**20
HOUR = timedelta(hours=1)
CONTENT = b"PK\x03\x04" + random.Random(1).randbytes(PART + 1000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Archive:
    """An archive in memory."""

    media_type = "application/zip"
    size = len(CONTENT)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        yield CONTENT[start:end]


class Torn(Archive):
    """It changes after its sha256 was taken."""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        yield CONTENT[start:end] if end - start == self.size else CONTENT[start:end].replace(b"\0", b"\1")


@dataclass
class Counting(httpx.BaseTransport):
    """Counts what goes through the API."""

    inner: httpx.BaseTransport
    parts: int = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.parts += request.method == "PUT"
        return self.inner.handle_request(request)


Connect = Callable[..., tuple[Fgfi, Counting]]


@pytest.fixture
def connect(settings: Settings, sessions: Sessions, project_id: str, address: str) -> Iterator[Connect]:
    """Connects the SDK to the application on this store."""
    closes: list[Callable[[], None]] = []

    def open_(**changes: object) -> tuple[Fgfi, Counting]:
        changed = {"storage_url": address, "upload_part_bytes": PART, **changes}
        app = create_app(settings.model_copy(update=changed))
        with sessions.begin() as session:
            key = keys.create(session, project_id, "test", ("submit", "read"), settings.secret_key).token
        transport = Counting(TestClient(app, base_url="http://localhost")._transport)
        http = Http(Connection("http://localhost", key), transport=transport)
        closes.extend((http.close, app.state.service.engine.dispose))
        return Fgfi(http, "http://localhost"), transport

    yield open_
    for close in closes:
        close()


WATCH = Watch(lambda _: None, lambda _: None, lambda _: None)


@pytest.mark.parametrize("links", [True, False])
def test_an_archive_arrives_by_links_where_there_are_any(connect: Connect, objects: ObjectStore, links: bool) -> None:
    service, through_api = connect(upload_links=links)
    dataset = service.add_source(Archive(), "cells", WATCH)
    assert (dataset.state, dataset.size) == ("checking", len(CONTENT))
    assert through_api.parts == (0 if links and isinstance(objects, S3Store) else 2)
    (found,) = objects.list()
    assert b"".join(objects.get(found.key)) == CONTENT


def test_content_that_changed_on_the_way_leaves_nothing(
    connect: Connect, objects: ObjectStore, leftovers: Callable[[], int]
) -> None:
    service, _ = connect()
    with pytest.raises(ClientError) as caught:
        service.add_source(Torn(), "cells", WATCH)
    assert caught.value.code == "content_mismatch"
    assert (list(objects.list()), leftovers(), service.datasets()) == ([], 0, [])


def begun(sessions: Sessions, objects: ObjectStore, project_id: str, settings: Settings) -> Upload:
    limits = Limits(settings.max_upload_bytes, PART, None, HOUR)
    row = receiving.begin(sessions, objects, project_id, Asked("x", len(CONTENT), "application/zip", SHA256), limits)
    for number in (1, 2):
        start = (number - 1) * PART
        receiving.take_part(sessions, objects, row, number, [CONTENT[start : start + PART]], None)
    return row


def test_a_completion_that_died_after_the_join_is_taken_up(
    sessions: Sessions, objects: ObjectStore, project_id: str, settings: Settings
) -> None:
    row = begun(sessions, objects, project_id, settings)
    with sessions.begin() as session:
        died = {"state": "joining", "joining_token": "lost", "joining_expires_at": func.clock_timestamp()}
        session.execute(update(Upload).values(died))
    parts = objects.parts.list(row.object_key, row.store_token or "")
    objects.parts.join(row.object_key, row.store_token or "", parts, size=len(CONTENT))

    done = receiving.complete(sessions, objects, project_id, row.id, lambda _: None)
    assert (done.state, done.deduplicated) == ("completed", False)
    assert b"".join(objects.get(row.object_key)) == CONTENT


def test_a_completion_whose_parts_are_nowhere_ends_the_upload(
    sessions: Sessions, objects: ObjectStore, project_id: str, settings: Settings
) -> None:
    row = begun(sessions, objects, project_id, settings)
    objects.parts.drop(row.object_key, row.store_token or "")
    with pytest.raises(ContentMismatch, match="its parts are gone"):
        receiving.complete(sessions, objects, project_id, row.id, lambda _: None)
    with sessions.begin() as session:
        assert session.scalars(select(Upload.state)).all() == ["aborted"]


def test_what_is_abandoned_is_let_go(
    sessions: Sessions, objects: ObjectStore, project_id: str, settings: Settings, leftovers: Callable[[], int]
) -> None:
    row = begun(sessions, objects, project_id, settings)
    with sessions.begin() as session:
        session.execute(update(Upload).values(expires_at=func.clock_timestamp()))
    receiving.tidy(sessions, objects)
    assert leftovers() == 0
    with sessions.begin() as session:
        assert session.get_one(Upload, row.id).state == "expired"
        assert session.get_one(Upload, row.id).store_token is None
