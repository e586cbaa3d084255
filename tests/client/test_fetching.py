"""A file that comes in ranges, side by side."""

import hashlib
import re
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from client import fetching
from client.errors import EXIT_UNREACHABLE, ClientError
from client.models import Artifact
from client.sdk import Fgfi

MakeService = Callable[[Callable[[httpx.Request], httpx.Response]], Fgfi]
CONTENT = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def _small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "RANGE", 1000)


def artifact(content: bytes = CONTENT) -> Artifact:
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(id="a", name="s.onnx", format="onnx", size=len(content), sha256=digest, content="/content")


class Server:
    """Answers ranges; the first answers to some of them break off, or are not given at all."""

    def __init__(self, broken: set[int] | None = None, short: set[int] | None = None) -> None:
        self.asked: list[int] = []
        self._broken = broken or set()
        self._short = short or set()
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["range"])
        assert found
        start, last = int(found[1]), int(found[2])
        with self._lock:
            self.asked.append(start)
            if start in self._broken:
                self._broken.remove(start)
                raise httpx.ReadError("cut off", request=request)
            if start in self._short:
                self._short.remove(start)
                last = start + 9
        return httpx.Response(206, content=CONTENT[start : last + 1])


def test_every_byte_arrives_once_and_is_counted(make_service: MakeService, tmp_path: Path) -> None:
    counted: list[int] = []
    server = Server()

    path = make_service(server).download(artifact(), tmp_path / "s.onnx", counted.append)

    assert path.read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)
    assert sorted(server.asked) == list(range(0, len(CONTENT), 1000))


def test_a_range_that_breaks_off_is_taken_up_where_it_broke(make_service: MakeService, tmp_path: Path) -> None:
    server = Server(broken={2000}, short={5000})

    path = make_service(server).download(artifact(), tmp_path / "s.onnx")

    assert path.read_bytes() == CONTENT
    assert server.asked.count(2000) == 2
    assert 5010 in server.asked


def test_a_server_without_ranges_sends_the_whole(make_service: MakeService, tmp_path: Path) -> None:
    path = make_service(lambda _: httpx.Response(200, content=CONTENT)).download(artifact(), tmp_path / "s.onnx")

    assert path.read_bytes() == CONTENT


def test_what_arrives_damaged_is_not_kept(make_service: MakeService, tmp_path: Path) -> None:
    wrong = artifact().model_copy(update={"sha256": "0" * 64})

    with pytest.raises(ClientError, match="arrived damaged"):
        make_service(Server()).download(wrong, tmp_path / "s.onnx")

    assert list(tmp_path.iterdir()) == []


def test_when_the_service_stays_away_it_ends_and_leaves_nothing(make_service: MakeService, tmp_path: Path) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ClientError) as caught:
        make_service(away).download(artifact(), tmp_path / "s.onnx")

    assert caught.value.exit_code == EXIT_UNREACHABLE
    assert list(tmp_path.iterdir()) == []
