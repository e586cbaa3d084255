"""`fgfi up` as a person has it: a process, its signals, its folder, its messages."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120.0
STOP_SECONDS = 60.0


@dataclass
class Up:
    """A running `fgfi up` and its log."""

    process: subprocess.Popen[bytes]
    data: Path
    log: Path

    @property
    def url(self) -> str:
        url: str = self.connection()["url"]
        return url

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.connection()['api_key']}"}

    def connection(self) -> dict[str, str]:
        content: dict[str, str] = json.loads((self.data / "connection.json").read_text())
        return content

    def wait_for(self, pattern: str) -> str:
        """The first line of its log that matches."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in self.log.read_text().splitlines():
                if re.search(pattern, line):
                    return line
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)  # Polls another process's file; the test waits for what it says, not for a time.
        raise AssertionError(f"no line matches {pattern!r}:\n{self.log.read_text()}")

    def wait_for_process(self, name: str) -> None:
        """Return once a process of this name runs below it."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(psutil.NoSuchProcess):
                if any(process.name() == name for process in self.family()):
                    return
            time.sleep(0.05)
        raise AssertionError(f"no process {name!r}")

    def family(self) -> list[psutil.Process]:
        """The process and all below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


Start = Callable[..., Up]


def command(data: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "client", "up", "--data", str(data), *words]


def started(data: Path, log: Path, **environment: str) -> Up:
    """`fgfi up` on a free port, ready."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(data, "--port", "0"), cwd=ROOT, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    up = Up(process, data, log)
    try:
        up.wait_for("log in once with")
    except BaseException:
        up.stop()
        raise
    return up


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts stacks of a test's own."""
    running: list[Up] = []

    def start_it(**environment: str) -> Up:
        running.append(started(tmp_path / "data", tmp_path / f"log-{len(running)}.txt", **environment))
        return running[-1]

    yield start_it
    for up in running:
        if up.process.poll() is None:
            up.stop()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One stack for the tests that only look at it."""
    folder = tmp_path_factory.mktemp("up")
    running = started(folder / "data", folder / "log.txt")
    yield running
    running.stop()


def refused(data: Path, *words: str) -> str:
    """What `fgfi up` says when it cannot start: one line, exit code 1, nothing else."""
    done = subprocess.run(command(data, *words), cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def test_it_serves_the_api_to_this_machines_key(up: Up) -> None:
    assert httpx.get(f"{up.url}/healthz").status_code == 200
    assert httpx.get(f"{up.url}/v1/jobs", headers=up.headers).json()["data"] == []


def test_sigterm_stops_everything_and_leaves_no_process(start: Start) -> None:
    up = start()
    family = up.family()
    assert {"postgres", "redis-server"} & {process.name() for process in family}

    assert up.stop() == 0

    _, alive = psutil.wait_procs(family, timeout=1)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert up.log.read_text().splitlines()[-1].endswith("| stopped")


def test_the_login_link_opens_the_dashboard_once(up: Up) -> None:
    link = up.wait_for("log in once with").split()[-1]

    with httpx.Client() as browser:
        assert browser.get(link).status_code == 303
        assert browser.get(f"{up.url}/jobs").is_success
    with httpx.Client() as another:
        assert another.get(link).status_code == 403


def test_killed_and_started_again_it_has_its_data_and_no_second_set_of_processes(start: Start) -> None:
    up = start()
    key = up.connection()["api_key"]
    archive = {"Content-Type": "application/gzip"}
    made = httpx.post(
        f"{up.url}/v1/datasets?name=kept", headers={**up.headers, **archive}, content=b"\x1f\x8b" + bytes(64)
    )
    assert made.status_code == 201, made.text
    family = up.family()

    up.process.kill()
    up.process.wait()
    again = start()

    assert again.connection()["api_key"] == key
    found = httpx.get(f"{again.url}/v1/datasets", headers=again.headers).json()["data"]
    assert [dataset["name"] for dataset in found] == ["kept"]
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_part_that_is_killed_is_started_again(up: Up) -> None:
    redis = next(process for process in up.family() if process.name() in {"redis-server", "valkey-server"})
    name = redis.name()

    redis.kill()

    up.wait_for(r"fgfi .*redis was ended by SIGKILL; starting it again")
    up.wait_for_process(name)


def test_a_database_from_the_environment_is_used_and_none_is_started(start: Start, fresh_database: str) -> None:
    up = start(FGFI_DATABASE_URL=fresh_database)

    assert "postgres" not in {process.name() for process in up.family()}
    with psycopg.connect(fresh_database) as connection:
        assert connection.execute("SELECT count(*) FROM api_keys").fetchone() == (1,)


def test_a_folder_in_use_by_another_is_refused(up: Up) -> None:

    assert refused(up.data, "--port", "0") == (
        f"fgfi: the data folder {up.data} is in use by another fgfi up (pid {up.process.pid}): "
        "stop that one, or choose another with --data"
    )


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        message = refused(tmp_path, "--port", str(port))

    assert message == (
        f"fgfi: cannot use port {port} on 127.0.0.1 (it is taken): choose another with --port, 0 is any free one"
    )


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, "--port", "0", "--host", "203.0.113.9")

    assert message.startswith("fgfi: cannot listen on 203.0.113.9 (")
    assert message.endswith("choose an address of this machine with --host")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a place that nobody may write to, root included")
def test_a_read_only_folder_is_refused() -> None:
    message = refused(Path("/sys/fgfi"), "--port", "0")

    assert message.startswith("fgfi: cannot write to the data folder /sys/fgfi (")
    assert message.endswith("choose another one with --data")


def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "data", "--port", "0"),
        cwd=ROOT,
        env={**os.environ, "FGFI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("fgfi: the database does not answer: ")
    assert done.stderr.count("\n") == 1
