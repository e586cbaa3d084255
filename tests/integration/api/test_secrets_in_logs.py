"""No secret reaches a log: the API as it is started in production, the steward beside it, and all that they print."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from store import keys, projects
from store.database import Sessions
from store.settings import Settings

SECRET = "0f4c1d-the-secret-of-this-installation-9b7e"


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    return settings.model_copy(update={"redis_url": redis_url, "secret_key": type(settings.secret_key)(SECRET)})


@contextmanager
def running(settings: Settings, log: Path, *command: str) -> Iterator[None]:
    """A program of the service in an environment of its own, all output in `log`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FGFI_")}
    environment |= {
        "FGFI_DATABASE_URL": settings.psycopg_url,
        "FGFI_REDIS_URL": settings.redis_url,
        "FGFI_STORAGE_URL": settings.storage_url,
        "FGFI_SECRET_KEY": SECRET,
    }
    with (
        log.open("ab") as out,
        subprocess.Popen(
            [sys.executable, "-m", *command], env=environment, stdout=out, stderr=subprocess.STDOUT
        ) as process,
    ):
        yield
        process.send_signal(signal.SIGTERM)


def answering(url: str) -> None:
    """Return when the service answers there."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            httpx.get(f"{url}/healthz", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the API does not answer")


def test_no_secret_reaches_a_log(settings: Settings, sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        project = projects.ensure(session).id
        admin = keys.create(session, project, "admin", ["operator"], settings.secret_key).token
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    # With uvicorn's own request log asked for, at its most talkative.
    api = ("uvicorn", "--factory", "api.main:create_app", "--port", port, "--log-level", "trace", "--access-log")
    wrong = keys.make_token()
    secrets = {SECRET, admin, wrong, "hunter2-in-a-body", "hunter2-in-a-header"}
    with running(settings, log, *api), running(settings, log, "worker.steward"):
        answering(url)
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {admin}"}, trust_env=False) as web:
            made = web.post("/v1/keys", json={"name": "ci"}).json()
            rotated = web.post(f"/v1/keys/{made['id']}/rotate").json()
            token = web.post("/v1/login-links").json()["url"].partition("token=")[2]
            secrets |= {made["token"], rotated["token"], token}
            web.post("/v1/keys", json={"name": "x", "token": "hunter2-in-a-body"})
            web.post("/v1/keys", content=b'{"password": "hunter2-in-a-body"')
            web.get("/v1/jobs", headers={"x-api-key": "hunter2-in-a-header", "x-request-id": f"fgfi {admin}"})
            web.get("/v1/jobs", headers={"authorization": f"Bearer {wrong}"})
            web.get("/v1/jobs", params={"q": admin, "token": token})
            web.get(f"/v1/jobs/{quote(admin)}")
        with httpx.Client(base_url=url, trust_env=False) as browser:
            browser.get("/login", params={"token": token})
            browser.get("/login", params={"token": token})
            cookie = str(browser.cookies["fgfi_session"])
            secrets |= {cookie, cookie.partition(".")[2]}
            browser.get("/jobs")
            browser.post("/logout", headers={"sec-fetch-site": "same-origin"})
    logged = log.read_text()
    password = re.search(r":([^:@/]+)@", settings.redis_url)
    secrets |= {password[1]} if password else set()
    assert '"path": "/v1/keys"' in logged
    assert {secret for secret in secrets if secret in logged} == set()
