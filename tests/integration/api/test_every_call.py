"""Every call that is described, tried by Schemathesis with what fits its description and with what does not.

Half of the ids that it takes are of things that exist. `make fuzz` tries longer, and the fields of a spec one by one,
which have tests of their own. A finding is shown with a line of curl that repeats it.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from store.settings import Settings
from tests.integration.api.conftest import MakeKey
from tests.integration.api.scene import Scene

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
CONFIG = Path(__file__).with_name("schemathesis.toml")
KINDS = {
    "job": "job_id",
    "ds": "dataset_id",
    "exp": "export_id",
    "mdl": "model_id",
    "art": "artifact_id",
    "up": "upload_id",
    "key": "key_id",
    "grp": "group_id",
    "ses": "session_id",
    "prj": "project_id",
    "whk": "webhook_id",
    "msg": "delivery_id",
}
QUICK = """
[[operations]]
include-operation-id = ["create_job", "create_group"]
phases.coverage.enabled = false
"""


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    """With every part there: what answers 500 or 503 now is a finding."""
    return settings.model_copy(update={"redis_url": redis_url})


@pytest.fixture
def config(tmp_path: Path, scene: Scene) -> Path:
    """The configuration, with the ids of what there is."""
    text = CONFIG.read_text() + ("" if EXAMPLES else QUICK)
    bound = ["[parameters]"]
    for kind, parameter in KINDS.items():
        known = [real for shown, real in scene.ids.items() if shown.startswith(f"{kind}_")]
        if known:
            text += f"\n[dictionaries.{kind}]\nvalues = {json.dumps(known)}\n"
            bound.append(f'"path.{parameter}" = {{ dictionary = "{kind}", probability = 0.5 }}')
    file = tmp_path / "schemathesis.toml"
    file.write_text("\n".join([text, *bound, ""]))
    return file


@pytest.fixture
def server(server: httpx.Client, make_key: MakeKey) -> httpx.Client:
    """With a key that may do everything everywhere."""
    server.headers["authorization"] = f"Bearer {make_key('operator')}"
    return server


def run(server: httpx.Client, config: Path, *options: str) -> str:
    """What Schemathesis says after a run without findings."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    command += [f"{server.base_url}/v1/openapi.json", "--header", f"Authorization: {server.headers['authorization']}"]
    command += ["--checks", "all", "--max-examples", EXAMPLES or "5", "--seed", "1", "--request-timeout", "20"]

    done = subprocess.run(
        [*command, "--no-color", *options], cwd=config.parent, capture_output=True, text=True, check=False
    )

    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_call_answers_as_it_is_described(server: httpx.Client, config: Path) -> None:
    # It would revoke the key that it is let in with: that call has a run of its own.
    told = run(server, config, "--exclude-operation-id", "revoke_key")

    tried = re.search(r"(\d+) generated", told)
    assert tried is not None
    assert int(tried[1]) > 1000


def test_a_key_that_is_not_ours_is_revoked_as_described(server: httpx.Client, config: Path) -> None:
    run(server, config, "--include-operation-id", "revoke_key", "--phases", "examples,coverage")
