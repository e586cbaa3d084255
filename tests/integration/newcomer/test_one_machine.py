"""A newcomer's first job on one machine: the README's lines, and the program of docs/sdk.md, as they stand there."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.newcomer.first_job import ROOT, CommandLine, downloaded, lines_of, prepare

STOP_SECONDS = 60


@dataclass
class Newcomer:
    """Somebody at home in a folder, with a service that runs."""

    home: Path
    environment: dict[str, str]

    def folder(self, name: str) -> Path:
        return prepare(self.home / name)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """After the README's first line, but on a free port: 8000 may be somebody else's here."""
    home = tmp_path_factory.mktemp("home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
    }
    command = [str(Path(sys.executable).with_name("fgfi")), "up", "--port", "0"]
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as up:
        try:
            assert up.stdout is not None
            seen = []
            for line in up.stdout:
                seen.append(line)
                if "log in once with" in line:
                    break
            assert up.poll() is None, "".join(seen)
            yield Newcomer(home, environment)
        finally:
            up.send_signal(signal.SIGTERM)
            up.communicate(timeout=STOP_SECONDS)


def test_the_five_lines_of_the_readme_lead_to_a_student(newcomer: Newcomer) -> None:
    folder = newcomer.folder("by-command")
    person = CommandLine(folder, settings={"env": newcomer.environment, "capture_output": True, "text": True})

    person.first_job()

    assert "succeeded" in person.said[2]
    assert downloaded(folder) >= {".safetensors", ".html"}


def test_the_program_of_the_python_page_leads_to_a_student(newcomer: Newcomer) -> None:
    folder = newcomer.folder("by-program")
    program = lines_of(ROOT / "docs/sdk.md", "python", "service.add_dataset")

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=newcomer.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    job_id, state, _ = done.stdout.split()
    assert (job_id[:4], state) == ("job_", "succeeded")
    assert done.stderr.split()[-1] == "report"
    assert downloaded(folder) >= {".safetensors", ".html"}


def test_the_doctor_finds_everything_well(newcomer: Newcomer) -> None:
    command = [sys.executable, "-m", "client", "doctor", "--json"]
    done = subprocess.run(command, env=newcomer.environment, capture_output=True, text=True, check=False)

    told = json.loads(done.stdout)
    states = {check["name"]: check["state"] for check in told["checks"]}
    assert (done.returncode, told["well"]) == (0, True)
    assert {states[name] for name in ("service", "version", "key", "database", "broker", "store")} == {"ok"}
