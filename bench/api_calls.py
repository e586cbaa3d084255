"""The API's main calls, made over real connections again and again on a filled database."""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.api_process import HOST, Api
from fgfi_core.spec import DETECTORS

PROJECT = "project-0"
"""The one that has half of all jobs."""
SERIES, STEPS = ("loss", "imitation", "learning_rate", "val/map50"), 5_000

_METRICS = """
    INSERT INTO metrics (job_id, stage, seed, name, step, attempt, epoch, value, time)
    SELECT :job, stage, 0, name, step, 1, step / 100.0, 1.0 / step, clock_timestamp()
    FROM unnest(CAST(:names AS text[])) AS name, unnest(ARRAY['teacher', 'imitation']) AS stage,
         generate_series(1, :steps) AS step
"""


@dataclass(frozen=True)
class Call:
    """One call. paths: taken in turn. dear: it is made so many times less often than the others."""

    name: str
    method: str
    paths: Sequence[str]
    body: bytes | None = None
    status: int = 200
    dear: int = 1


@dataclass
class Timed:
    """Milliseconds of each request, and seconds from the first to the last of every burst."""

    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Requests a second, of all connections together."""
        return len(self.milliseconds) / self.seconds


def of(session: Session) -> list[Call]:
    """What a client asks all day, of the project that has most; one of its jobs gets the curves of a training."""
    query = text("SELECT id FROM jobs WHERE project_id = :project AND state = 'succeeded' ORDER BY id LIMIT 500")
    ids = session.scalars(query, {"project": PROJECT}).all()
    session.execute(text(_METRICS), {"job": ids[0], "names": list(SERIES), "steps": STEPS})
    dataset = f"{PROJECT}-data-0"
    detector = {"detector": next(iter(DETECTORS))}
    spec = {"name": "cells", "dataset": {"id": dataset}, "teacher": detector, "student": detector}
    chosen = random.Random(0).sample(ids, min(100, len(ids)))
    return [
        Call("POST job", "POST", ["/v1/jobs"], json.dumps(spec).encode(), 201),
        Call("GET job", "GET", [f"/v1/jobs/{one}" for one in chosen]),
        Call("list", "GET", ["/v1/jobs"]),
        Call("list, state and data set", "GET", [f"/v1/jobs?state=failed&dataset={quote(dataset)}"]),
        Call("list, text", "GET", ["/v1/jobs?q=boards"]),
        Call("events", "GET", [f"/v1/jobs/{one}/events" for one in chosen]),
        Call(f"metrics, {2 * len(SERIES)} x {STEPS:,} points", "GET", [f"/v1/jobs/{ids[0]}/metrics"], dear=4),
    ]


@dataclass
class Client:
    """Some connections to one API, kept open."""

    connections: Sequence[HTTPConnection]
    headers: Mapping[str, str]
    turn: Iterator[int] = field(default_factory=count)

    def burst(self, call: Call, each: int, timed: Timed) -> None:
        """So many requests on each connection at once; raises RuntimeError for an answer of another status."""
        times = range(max(1, each // call.dear))
        start = time.perf_counter()
        with ThreadPoolExecutor(len(self.connections)) as pool:
            for spent in pool.map(lambda one: [self._once(one, call) for _ in times], self.connections):
                timed.milliseconds.extend(spent)
        timed.seconds += time.perf_counter() - start

    def _once(self, connection: HTTPConnection, call: Call) -> float:
        path = call.paths[next(self.turn) % len(call.paths)]
        start = time.perf_counter()
        connection.request(call.method, path, call.body, self.headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != call.status:
            raise RuntimeError(f"{call.method} {path} answered {answer.status}: {content[:300]!r}")
        return 1000 * (time.perf_counter() - start)


@contextmanager
def client(api: Api, key: str, connections: int) -> Iterator[Client]:
    """A client for the length of a block."""
    opened = [HTTPConnection(HOST, api.port, timeout=60) for _ in range(connections)]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        yield Client(opened, headers)
    finally:
        for one in opened:
            one.close()
