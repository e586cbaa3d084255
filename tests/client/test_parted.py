"""An upload in parts against a service of canned answers."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from client.archive import WHOLE_BYTES
from client.connection import Connection
from client.errors import ClientError
from client.http import Http
from client.models import Upload
from client.parted import Watch, send
from client.sdk import Fgfi

CONTENT = bytes(range(256)) * 4 + b"end"
PART = 100
PARTS = [CONTENT[start : start + PART] for start in range(0, len(CONTENT), PART)]
TIME = "2030-01-01T00:00:00Z"


class Bytes:
    """An archive in memory."""

    media_type = "application/zip"
    size = len(CONTENT)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        yield CONTENT[start:end]


class Service:
    """Takes parts; `troubles` are answers given before, by method and path."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        self.parts: dict[int, bytes] = {}
        self.requests: list[str] = []
        self.promise: dict[str, object] = {}
        self.troubles: dict[str, list[httpx.Response | Exception]] = {}
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            call = f"{request.method} {request.url.path}"
            self.requests.append(call)
            if self.troubles.get(call):
                trouble = self.troubles[call].pop(0)
                if isinstance(trouble, Exception):
                    raise trouble
                return trouble
            if request.method == "PUT":
                number = int(call.rpartition("/")[2])
                digest = base64.b64encode(hashlib.sha256(request.content).digest()).decode()
                assert request.headers["content-digest"] == f"sha-256=:{digest}:"
                self.parts[number] = request.content
                return httpx.Response(200, json={})
            if call == "POST /v1/uploads":
                self.promise = json.loads(request.content)
            if call.endswith("/complete"):
                self.fields |= {"state": "completed", "dataset_id": "ds_1"}
            return httpx.Response(200, json=self.upload())

    def upload(self) -> dict[str, object]:
        received = [{"number": number, "size": len(part)} for number, part in self.parts.items()]
        known = {"id": "up_1", "state": "open", "size": len(CONTENT), "part_size": PART, "parts": len(PARTS)}
        return {**known, "received": received, **self.fields}


Send = Callable[[Service], Upload]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def sent() -> list[int]:
    return []


@pytest.fixture
def to(said: list[str], sent: list[int], pauses: list[float]) -> Iterator[Send]:
    made: list[Http] = []

    def run(service: Service) -> Upload:
        http = Http(
            Connection("http://service", "fgfi_key"), transport=httpx.MockTransport(service), sleep=pauses.append
        )
        made.append(http)
        return send(http, Bytes(), "cells", Watch(lambda _: None, sent.append, said.append), sleep=pauses.append)

    yield run
    for http in made:
        http.close()


def test_every_part_is_sent_and_the_whole_completed(to: Send, sent: list[int]) -> None:
    service = Service()
    upload = to(service)

    assert upload.dataset_id == "ds_1"
    assert [service.parts[number] for number in sorted(service.parts)] == PARTS
    assert service.promise == {
        "name": "cells",
        "size": len(CONTENT),
        "media_type": "application/zip",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    assert sum(sent) == len(CONTENT)


def test_only_missing_parts_are_sent(to: Send, said: list[str], sent: list[int]) -> None:
    service = Service()
    service.parts = {1: PARTS[0], 3: PARTS[2], 4: b"too short"}
    to(service)

    puts = sorted(call for call in service.requests if call.startswith("PUT"))
    assert len(puts) == len(PARTS) - 2
    assert "PUT /v1/uploads/up_1/parts/1" not in puts
    assert "PUT /v1/uploads/up_1/parts/4" in puts
    assert said == [f"going on with up_1: 2 of {len(PARTS)} parts are there"]
    assert sum(sent) == len(CONTENT)


def test_content_that_is_there_is_not_sent(to: Send, sent: list[int]) -> None:
    service = Service(state="completed", dataset_id="ds_7", deduplicated=True)
    assert to(service).dataset_id == "ds_7"
    assert service.requests == ["POST /v1/uploads"]
    assert sum(sent) == len(CONTENT)


def test_a_part_is_tried_again_with_growing_pauses(to: Send, pauses: list[float]) -> None:
    service = Service()
    lost: list[httpx.Response | Exception] = [httpx.ConnectError(""), httpx.Response(503), httpx.ReadTimeout("")]
    service.troubles["PUT /v1/uploads/up_1/parts/2"] = lost
    to(service)
    assert service.parts[2] == PARTS[1]
    assert pauses == [0.25, 0.5, 1.0]


def test_a_part_that_is_refused_ends_it_and_leaves_the_rest_unsent(to: Send) -> None:
    service = Service()
    problem = httpx.Response(409, json={"code": "wrong_state", "detail": "it is aborted"})
    service.troubles["PUT /v1/uploads/up_1/parts/1"] = [problem]
    with pytest.raises(ClientError, match="it is aborted"):
        to(service)
    assert len(service.parts) < len(PARTS) - 1


def test_a_completion_whose_answer_was_lost_is_waited_for(to: Send, pauses: list[float]) -> None:
    service = Service()
    busy = httpx.Response(409, json={"code": "wrong_state", "detail": "it is joining"})
    service.troubles["POST /v1/uploads/up_1/complete"] = [httpx.ReadTimeout("slow"), busy]
    service.troubles["GET /v1/uploads/up_1"] = [httpx.Response(200, json={**service.upload(), "state": "joining"})]
    assert to(service).dataset_id == "ds_1"
    assert pauses == [0.25, 2.0]


def test_a_mismatch_is_told(to: Send) -> None:
    service = Service()
    problem = httpx.Response(422, json={"code": "content_mismatch", "detail": "not what was promised"})
    service.troubles["POST /v1/uploads/up_1/complete"] = [problem]
    with pytest.raises(ClientError, match="not what was promised"):
        to(service)


def test_a_service_without_parts_gets_the_whole(
    make_service: Callable[[Callable[[httpx.Request], httpx.Response]], Fgfi], tmp_path: Path
) -> None:
    path = tmp_path / "big.zip"
    path.write_bytes(bytes(WHOLE_BYTES + 1))
    received: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/uploads":
            return httpx.Response(409, json={"code": "no_parts", "detail": "whole only"})
        received.append(len(request.read()))
        return httpx.Response(201, json={"id": "ds_1", "name": "big.zip", "state": "checking", "created_at": TIME})

    assert make_service(answer).add_dataset(path).id == "ds_1"
    assert received == [WHOLE_BYTES + 1]
