"""The application on real PostgreSQL: in this process for most tests, behind a real socket where a stream is read."""

import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.exceptions import StarletteDeprecationWarning

from api.main import create_app
from client.main import main
from store import attempts, keys, leases, logins
from store.attempts import Trace
from store.database import Sessions
from store.leases import Claim
from store.objects import ObjectStore
from store.principal import SCOPES, Principal, Scope
from store.settings import Settings
from store.tables import Job
from tests.integration.api.scene import Scene, build

with warnings.catch_warnings():
    # It would rather have another client library; httpx is the one the project has.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

HOUR = timedelta(hours=1)

MakeKey = Callable[..., str]
Fgfi = Callable[..., tuple[int, str, str]]


@pytest.fixture
def app(settings: Settings, sessions: Sessions) -> Iterator[FastAPI]:
    del sessions  # Empties the tables first.
    made = create_app(settings)
    yield made
    made.state.service.engine.dispose()


@pytest.fixture
def make_key(sessions: Sessions, settings: Settings, project_id: str) -> MakeKey:
    """Makes a key of a project, the default one unless named."""

    def make(*scopes: Scope, project: str = project_id) -> str:
        with sessions.begin() as session:
            return keys.create(session, project, "test", scopes, settings.secret_key).token

    return make


@pytest.fixture
def stranger(app: FastAPI) -> TestClient:
    """A client without a key."""
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


@pytest.fixture
def client(app: FastAPI, make_key: MakeKey) -> TestClient:
    """A client whose key may do everything."""
    headers = {"authorization": f"Bearer {make_key('admin')}"}
    return TestClient(app, base_url="http://localhost", headers=headers, follow_redirects=False)


@pytest.fixture
def visitor(app: FastAPI, sessions: Sessions, settings: Settings, project_id: str) -> TestClient:
    """A browser that came in by a login link."""
    with sessions.begin() as session:
        token = logins.create_link(session, Principal(project_id, frozenset(SCOPES)), settings.secret_key, HOUR)
    browser = TestClient(app, base_url="http://localhost", follow_redirects=False)
    assert browser.get("/login", params={"token": token}).status_code == 303
    return browser


@pytest.fixture
def server(app: FastAPI, make_key: MakeKey) -> Iterator[httpx.Client]:
    """A client of the application behind a real socket."""
    with _serving(app) as url, httpx.Client(base_url=url, timeout=30) as web:
        web.headers["authorization"] = f"Bearer {make_key('admin')}"
        yield web


@pytest.fixture
def fgfi(server: httpx.Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fgfi:
    """Runs `fgfi` with these words against the application: exit code, output, errors."""
    monkeypatch.setenv("FGFI_URL", str(server.base_url))
    monkeypatch.setenv("FGFI_API_KEY", server.headers["authorization"].removeprefix("Bearer "))

    def run(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["fgfi", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def scene(sessions: Sessions, objects: ObjectStore, settings: Settings, project_id: str) -> Scene:
    """A project in which every call has something to answer."""
    return build(sessions, objects, settings, project_id)


@pytest.fixture
def claim(sessions: Sessions) -> Callable[[Job], Claim]:
    """Takes a job as a worker does."""

    def take(job: Job) -> Claim:
        with sessions.begin() as session:
            claimed = leases.claim(session, job.id, worker_id="worker-1", lease=HOUR, device="cpu")
        assert claimed is not None
        return claimed

    return take


@pytest.fixture
def fail(sessions: Sessions) -> Callable[[Claim], None]:
    """Ends a claimed job as failed."""

    def end(claimed: Claim) -> None:
        error = {"code": "bad_data", "message": "image 7 is broken", "hint": "Mend it."}
        with sessions.begin() as session:
            attempts.fail(session, claimed.lease, error, Trace("image 7 is broken"))

    return end


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def _serving(app: FastAPI) -> Iterator[str]:
    server = _Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.ready.wait(30)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    app.state.service.live.close()
    server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()
