"""`fgfi submit` against the application behind a real socket."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from client.main import main
from fgfi_core.spec import JobSpec
from store.database import Sessions
from store.tables import Job

Submit = Callable[..., str]


@pytest.fixture
def submit(
    server: httpx.Client,
    job_spec: JobSpec,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Submit:
    """Submits the spec with these options; returns the id of the job."""
    spec = tmp_path / "job.json"
    spec.write_text(job_spec.model_dump_json())
    monkeypatch.setenv("FGFI_URL", str(server.base_url))
    monkeypatch.setenv("FGFI_API_KEY", server.headers["authorization"].removeprefix("Bearer "))

    def run(*options: str) -> str:
        monkeypatch.setattr(sys, "argv", ["fgfi", "submit", str(spec), "--json", *options])
        with pytest.raises(SystemExit) as stop:
            main()
        output = capsys.readouterr()
        assert not stop.value.code, output.err
        return str(json.loads(output.out)["id"])

    return run


@pytest.mark.parametrize(
    ("options", "placed"),
    [
        ((), ("jobs", 0)),
        (("--priority", "high", "--device-class", "gpu"), ("jobs.gpu", 10)),
        (("--priority", "low", "--device-class", "any"), ("jobs", -10)),
    ],
)
def test_a_job_waits_where_the_command_line_says(
    submit: Submit, sessions: Sessions, options: tuple[str, ...], placed: tuple[str, int]
) -> None:
    identity = submit(*options)

    with sessions.begin() as session:
        job = session.get_one(Job, identity)
        assert (job.queue, job.priority) == placed
