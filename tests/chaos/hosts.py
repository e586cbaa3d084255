"""Three hosts: one with API, steward, PostgreSQL, Redis and S3, two with a worker each. One worker's cable is pulled.

python -m tests.chaos.hosts [--keep FOLDER]   # as root, with iproute2; prints what happened by the database's clock

The worker must end its training before its lease can end, the job must go on from its checkpoint at the other worker,
nothing that the first one says when it is back may count, and it must take the next job as if nothing had been.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from embedded.processes import Part
from store.states import TERMINAL
from tests.chaos import network
from tests.chaos.child import uninterrupted
from tests.chaos.client import Client
from tests.chaos.history import JobHistory, Plan
from tests.chaos.network import Network
from tests.chaos.stack import WORKERS, Stack

FRONT = "front"
STEPS, EVERY, PAUSE = 40, 5, 0.12
KEY = {"AWS_ACCESS_KEY_ID": "AKIAHOSTSHOSTSHOSTS", "AWS_SECRET_ACCESS_KEY": "a-secret-for-these-hosts"}
S3_PORT = 8333


class Hosts(Stack):
    """The service on several hosts; this process is on the one in front."""

    def __init__(self, folder: Path, net: Network) -> None:
        super().__init__(folder)
        self.network = net
        self.address = net.addresses[FRONT]

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **super().environment,
            "FGFI_DATABASE_URL": f"postgresql://postgres@{self.address}/postgres",
            "FGFI_REDIS_URL": self.redis.url.replace("127.0.0.1", self.address),
            "FGFI_STORAGE_URL": "s3://fgfi/objects",
            "FGFI_ALLOWED_HOSTS": f"{self.address},127.0.0.1",
            "CHAOS_HOST": self.address,
            "AWS_ENDPOINT_URL": f"http://{self.address}:{S3_PORT}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            **KEY,
        }

    def database(self) -> "psycopg.Connection[Any]":
        """A connection of an onlooker."""
        return psycopg.connect(self.environment["FGFI_DATABASE_URL"], autocommit=True)

    def _part(self, name: str) -> Part:
        if name == "s3":
            return self._s3()
        part = super()._part(name)
        if name == "postgres":
            (self.postgres.data / "pg_hba.conf").open("a").write(f"host all all {network.SUBNET}.0/24 trust\n")
            return replace(part, command=(*part.command, "-c", f"listen_addresses={self.address}"))
        if name == "redis":
            file = self.redis.folder / "redis.conf"
            file.write_text(file.read_text().replace("bind 127.0.0.1", f"bind 127.0.0.1 {self.address}"))
        if name in WORKERS:
            # No worker's clock is ahead here: the hosts are one machine.
            environment = {**part.environment, "CHAOS_CLOCK": ""}
            return replace(part, command=(*self.network.inside(name), *part.command), environment=environment)
        return part

    def _ready(self, name: str) -> Callable[[], bool] | None:
        return self._s3_answers if name == "s3" else super()._ready(name)

    def _s3_answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://{self.address}:{S3_PORT}/healthz", timeout=1.0).is_success
        return False

    def _s3(self) -> Part:
        folder = self.folder / "s3"
        folder.mkdir(exist_ok=True)
        keys = folder / "keys.json"
        credentials = [{"accessKey": KEY["AWS_ACCESS_KEY_ID"], "secretKey": KEY["AWS_SECRET_ACCESS_KEY"]}]
        rights = ["Admin", "Read", "Write", "List", "Tagging"]
        keys.write_text(json.dumps({"identities": [{"name": "fgfi", "actions": rights, "credentials": credentials}]}))
        options = {"dir": folder, "bucket": "fgfi", "s3.config": keys, "ip": self.address, "ip.bind": "0.0.0.0"}
        words = [f"-{name}={value}" for name, value in options.items()]
        weed = str(Path(sys.executable).with_name("weed"))
        return Part("s3", (weed, "mini", *words, "-webdav=false", "-admin.ui=false"), folder=folder)


@dataclass
class Story:
    """What happened, by the database's clock."""

    hosts: Hosts
    began: datetime | None = None
    lines: list[tuple[float, str, str]] = field(default_factory=list)

    def now(self) -> datetime:
        with self.hosts.database() as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        moment: datetime = row[0]
        return moment

    def note(self, who: str, what: str, when: datetime | None = None) -> datetime:
        """Write down what was done or seen."""
        when = when or self.now()
        self.began = self.began or when
        self.lines.append(((when - self.began).total_seconds(), who, what))
        return when

    def add_events(self, history: JobHistory) -> None:
        """Put what the service wrote down in between."""
        workers = {one["number"]: host_of(one["worker_id"]) for one in history.job["attempts"]} if history.job else {}
        for event in history.events:
            words = _words(event)
            if words:
                self.note(workers.get(event["attempt"], "service"), words, datetime.fromisoformat(event["time"]))
        self.lines.sort(key=lambda line: line[0])


def host_of(worker_id: str) -> str:
    """A worker's id begins with its host's name."""
    return next(name for name in WORKERS if worker_id.startswith(name))


def _words(event: dict[str, Any]) -> str | None:
    data = event["data"]
    if event["kind"] == "state":
        return f"job {data['to']}" + (f": {data['message']}" if data.get("message") else "")
    if event["kind"] == "checkpoint":
        return f"checkpoint of {data['stage']} at step {data['step']}"
    return None


def until(what: str, condition: Callable[[], object], seconds: float = 90.0) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"in {seconds:.0f} s it did not happen that {what}")
        time.sleep(0.02)


def play(hosts: Hosts) -> dict[str, Any]:
    """The whole story; returns what is to be judged."""
    hosts.begin("s3")
    client = Client(hosts.url, hosts.start((*WORKERS, "steward-1")))
    story = Story(hosts)
    dataset = client.add_dataset()
    plan = {"steps": STEPS, "every": EVERY, "pause": PAUSE, "ends": "well"}
    story.note("user", "posts a job")
    history = client.create(Plan("cut-off", plan, "succeeded", EVERY, uninterrupted(STEPS)), dataset)
    until("it has a checkpoint", lambda: _published(client, history) >= 3)
    cut_off = host_of(_job(client, history)["attempts"][0]["worker_id"])
    (training,) = hosts.children_of(cut_off)

    hosts.network.pull(cut_off)
    story.note("network", f"the cable of {cut_off} is pulled")
    until("the training was ended", lambda: not _alive(training))
    ended = story.note(cut_off, "its training is ended")
    lease_ends = _lease_ends(hosts, history.job_id)
    story.note("lease", f"of {cut_off} ends", lease_ends)
    until("the other worker has the job", lambda: len(_job(client, history)["attempts"]) == 2)
    hosts.network.connect(cut_off)
    story.note("network", f"the cable of {cut_off} is back")
    until("the job is over", lambda: _job(client, history)["state"] in TERMINAL)
    client.close_book(history)
    story.add_events(history)

    # Alone, the one that was away takes the next.
    other = next(name for name in WORKERS if name != cut_off)
    hosts.stop_part(other)
    story.note("user", f"stops {other} and posts another job")
    short = client.create(Plan("after", {**plan, "steps": 5}, "succeeded", EVERY, uninterrupted(5)), dataset)
    until("the next job is over", lambda: _job(client, short)["state"] in TERMINAL)
    client.close_book(short)
    story.add_events(short)
    client.close()
    return _verdict(history, short, story, cut_off, (lease_ends - ended).total_seconds())


def _verdict(history: JobHistory, short: JobHistory, story: Story, cut_off: str, spare: float) -> dict[str, Any]:
    assert history.job is not None
    assert short.job is not None
    moves = [event["data"]["to"] for event in history.events if event["kind"] == "state"]
    attempts = [
        {"worker": host_of(one["worker_id"]), **{name: one[name] for name in ("outcome", "reason", "resumed_from")}}
        for one in history.job["attempts"]
    ]
    return {
        "cut_off": cut_off,
        "state": history.job["state"],
        "attempts": attempts,
        "finishes": moves.count("succeeded"),
        "ended_before_lease": spare,
        "same_as_uninterrupted": history.job["result"]["digest"] == uninterrupted(STEPS),
        "events_without_gaps": [one["sequence"] for one in history.events] == list(range(1, len(history.events) + 1)),
        "next_job": [short.job["state"], host_of(short.job["attempts"][-1]["worker_id"])],
        "history": [f"{seconds:7.2f} s  {who:9} {what}" for seconds, who, what in story.lines],
    }


def _job(client: Client, history: JobHistory) -> dict[str, Any]:
    return client.get(f"/v1/jobs/{history.job_id}") or {"attempts": [], "state": None}


def _published(client: Client, history: JobHistory) -> int:
    client.look(history)
    return sum(event["kind"] == "checkpoint" for event in history.seen)


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _lease_ends(hosts: Hosts, job_id: str) -> datetime:
    with hosts.database() as connection:
        row = connection.execute(
            "SELECT lease_expires_at FROM attempts WHERE job_id = %s AND number = 1", [job_id]
        ).fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def main() -> int:
    """Make the hosts, go to the one in front, and tell the story there; exit code 1 when it did not end well."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="leave data and logs in this folder")
    parser.add_argument("--json", action="store_true", help="print what is judged for a program")
    parser.add_argument("--mark", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if (missing := network.needs()) is not None:
        sys.exit(missing)
    if given.mark is None:
        with network.built(FRONT, *WORKERS) as made:
            command = [sys.executable, "-m", "tests.chaos.hosts", "--mark", made.mark, *sys.argv[1:]]
            return subprocess.run([*made.inside(FRONT), *command], check=False).returncode
    with tempfile.TemporaryDirectory(prefix="fgfi-hosts-") as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        hosts = Hosts(folder.resolve(), Network(given.mark, (FRONT, *WORKERS)))
        try:
            told = play(hosts)
        finally:
            hosts.stop()
    print(json.dumps(told) if given.json else "\n".join([*told.pop("history"), json.dumps(told, indent=2)]))
    return 0 if told["state"] == "succeeded" and told["same_as_uninterrupted"] else 1


if __name__ == "__main__":
    sys.exit(main())
