"""A service made of canned answers: httpx's own transport for tests, below everything of ours."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from client.connection import Connection
from client.http import Http
from client.sdk import Fgfi

Answer = Callable[[httpx.Request], httpx.Response]
MakeService = Callable[[Answer], Fgfi]


@pytest.fixture
def pauses() -> list[float]:
    """How long the client slept between two tries."""
    return []


@pytest.fixture
def make_service(pauses: list[float]) -> Iterator[MakeService]:
    made: list[Http] = []

    def make(answer: Answer) -> Fgfi:
        http = Http(
            Connection("http://service", "fgfi_key"), transport=httpx.MockTransport(answer), sleep=pauses.append
        )
        made.append(http)
        return Fgfi(http, "http://service", sleep=pauses.append)

    yield make
    for http in made:
        http.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of two files and what must not travel: a link and the desktop's droppings."""
    root = tmp_path / "cells"
    (root / "JPEGImages").mkdir(parents=True)
    (root / "JPEGImages" / "a.jpg").write_bytes(bytes(range(256)) * 5)
    (root / "list.txt").write_text("a\n")
    (root / ".DS_Store").write_bytes(b"x")
    (root / "link.txt").symlink_to(root / "list.txt")
    return root
