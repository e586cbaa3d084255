"""The Compose file's own commands and variables as plain processes, and a newcomer's job through them into S3."""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.deployment import compose, engine
from tests.integration.newcomer.first_job import CommandLine, downloaded, prepare

pytestmark = pytest.mark.skipif(engine.needs() is not None, reason=str(engine.needs()))

NAMES = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY", "FGFI_SECRET_KEY")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engine.Engine]:
    folder = tmp_path_factory.mktemp("compose")
    with engine.running(folder, {name: secrets.token_hex(32) for name in NAMES}) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
def test_nothing_starts_without_a_secret(name: str) -> None:
    others = dict.fromkeys(NAMES, "set")

    with pytest.raises(compose.UnsetVariable, match=f"set {name} in .env"):
        compose.read({**others, name: ""})


def test_the_small_image_has_no_torch_and_no_rights(services: engine.Engine) -> None:
    torch = services.execute("api", ["python", "-c", "import torch"])
    wrote = services.execute("api", ["touch", "/app/here"])
    who = services.execute("api", ["id", "-u"])

    assert "No module named 'torch'" in torch.stderr
    assert "Read-only file system" in wrote.stderr
    assert who.stdout == "65534\n"


def test_a_newcomers_job_goes_from_upload_to_download(services: engine.Engine, tmp_path: Path) -> None:
    given = services.execute("api", ["python", "-m", "embedded.access"]).stdout
    key = re.search(r"fgfi_\w+", given)
    assert key, given
    told = {"FGFI_URL": "http://127.0.0.1:8000", "FGFI_API_KEY": key[0], "HOME": str(tmp_path)}
    newcomer = CommandLine(prepare(tmp_path / "here"), services.run, {"env": {**os.environ, **told}})

    newcomer.first_job()

    assert "succeeded" in newcomer.said[2]
    assert downloaded(tmp_path / "here") >= {".safetensors", ".html"}
    # In S3, where only the service's own key reaches them.
    stored = services.execute("s3", ["wget", "-O-", "-T5", "http://127.0.0.1:8333/fgfi?list-type=2"])
    assert "403" in stored.stderr
    assert " 0 rows without their object" in services.execute("api", ["python", "-m", "store.reconcile"]).stdout


def test_asked_to_stop_our_parts_leave_in_order_within_their_grace(services: engine.Engine) -> None:
    codes = services.down()

    ours = {name for name, service in services.services.items() if "build" in service}
    # uvicorn ends by the signal itself once it is done (128 + SIGTERM), as far as a shell can tell.
    assert {name: codes[name] for name in ours} == dict.fromkeys(ours, 0) | {"api": 143}
