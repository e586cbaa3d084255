"""`fgfi datasets add` is killed in the middle of a large upload, and called again."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from client.connection import Connection
from client.sdk import Fgfi
from store.settings import Settings

MIB = 2**20
PASSED = 3


@dataclass
class Line:
    """A line to the service that lets three parts pass and then none, until it is mended."""

    stalled: bool = True
    begun: int = 0
    done: list[str] = field(default_factory=list)
    three: threading.Event = field(default_factory=threading.Event)
    end: threading.Event = field(default_factory=threading.Event)


class Stalling:
    """The line, in front of the application."""

    def __init__(self, app: ASGIApp, line: Line) -> None:
        self.app, self.line = app, line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_part = scope["type"] == "http" and scope["method"] == "PUT"
        if is_part and self.line.stalled:
            self.line.begun += 1
            if self.line.begun > PASSED:
                await asyncio.to_thread(self.line.end.wait)
        await self.app(scope, receive, send)
        if is_part:
            self.line.done.append(scope["path"])
            if len(self.line.done) == PASSED:
                self.line.three.set()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"upload_part_bytes": MIB})


@pytest.fixture
def line(app: FastAPI) -> Iterator[Line]:
    made = Line()
    app.add_middleware(Stalling, line=made)
    yield made
    made.end.set()


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """An archive of ten parts."""
    path = tmp_path / "big.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("cells/JPEGImages/1.jpg", random.Random(1).randbytes(9 * MIB + MIB // 2))
    return path


def test_a_killed_upload_goes_on_where_it_was(line: Line, server: httpx.Client, big: Path) -> None:
    url, key = str(server.base_url).rstrip("/"), server.headers["authorization"].removeprefix("Bearer ")
    command = [sys.executable, "-m", "client", "datasets", "add", str(big)]
    try:
        with subprocess.Popen(command, env={**os.environ, "FGFI_URL": url, "FGFI_API_KEY": key}) as first:
            assert line.three.wait(60)
            first.kill()
        assert server.get("/v1/datasets").json()["data"] == []

        line.stalled = False
        said: list[str] = []
        sent: list[int] = []
        with Fgfi.of(Connection(url, key)) as service:
            dataset = service.add_dataset(big, on_bytes=sent.append, say=said.append)
            again = service.add_dataset(big, name="again", say=said.append)
        assert (dataset.name, dataset.state, dataset.size) == ("big.zip", "checking", big.stat().st_size)
        assert len(line.done) == 10
        assert said[0].endswith("3 of 10 parts are there")
        assert sent[0] == 3 * MIB
        assert sum(sent) == dataset.size
        assert again.id == dataset.id
        assert said[1] == f"the service has this content already: {dataset.id} 'big.zip'"
    finally:
        line.end.set()
