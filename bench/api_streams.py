"""Many open streams of one API process: when an event has reached them all, and what they hold of the database."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text

from bench.api_calls import PROJECT
from bench.api_process import HOST, Api
from store import attempts
from store.attempts import Report
from store.database import Sessions
from store.events import NewEvent
from store.leases import Lease
from store.tables import Attempt, Job

_FIRST_REPORT = 10**6
_LOOKS, _LOOK_SECONDS = 100, 0.02
_AT_ONCE = 50
_WAIT_SECONDS = 60.0

# Of a connection that somebody holds the state is "active" or "idle in transaction"; the pool's spare ones are "idle".
_CONNECTIONS = """
    SELECT count(*) FILTER (WHERE state <> 'idle'), count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'fgfi-api'
"""


@dataclass(frozen=True)
class Streams:
    """What was seen.

    opened: seconds until every stream had the past. first, all: seconds from a worker's report of an event, its
    transaction included, to the median stream and to the last one, for each event. held: the most database connections
    in use while the streams waited; kept: those open, which the pool keeps for requests.
    """

    count: int
    opened: float
    median: Sequence[float]
    all: Sequence[float]
    held: int
    kept: int


async def watch(api: Api, key: str, sessions: Sessions, count: int, events: int) -> Streams:
    """Open the streams of one running job, let its worker report events one after the other, then look at the rest."""
    with sessions.begin() as session:
        query = select(Attempt).join(Job, Attempt.job_id == Job.id)
        found = session.scalars(query.where(Job.project_id == PROJECT, Attempt.ended_at.is_(None)).limit(1)).one()
        lease = Lease(found.job_id, found.number, found.lease_token)
    request = (
        f"GET /v1/jobs/{lease.job_id}/events/stream HTTP/1.1\r\nHost: {HOST}:{api.port}\r\n"
        f"Authorization: Bearer {key}\r\n\r\n"
    ).encode()
    gate = asyncio.Semaphore(_AT_ONCE)
    start = time.perf_counter()
    streams = await asyncio.gather(*(_open(api, request, gate) for _ in range(count)))
    opened = time.perf_counter() - start
    try:
        times = [await _tell(sessions, lease, number, [reader for reader, _ in streams]) for number in range(events)]
        looks = [await asyncio.to_thread(_connections, sessions) for _ in range(_LOOKS)]
    finally:
        for _, writer in streams:
            writer.close()
    return Streams(
        count,
        opened,
        [statistics.median(one) for one in times],
        [max(one) for one in times],
        max(held for held, _ in looks),
        max(kept for _, kept in looks),
    )


async def _open(api: Api, request: bytes, gate: asyncio.Semaphore) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with gate:
        reader, writer = await asyncio.open_connection(HOST, api.port)
        writer.write(request)
        await _line(reader, b"id: 1")
    return reader, writer


async def _tell(
    sessions: Sessions, lease: Lease, number: int, readers: Sequence[asyncio.StreamReader]
) -> Sequence[float]:
    """Seconds until each stream had it."""
    word = f"news {number}."
    start = time.perf_counter()

    async def arrival(reader: asyncio.StreamReader) -> float:
        await _line(reader, word.encode())
        return time.perf_counter() - start

    waiting = [asyncio.create_task(arrival(reader)) for reader in readers]
    await asyncio.to_thread(_report, sessions, lease, _FIRST_REPORT + number, word)
    return await asyncio.gather(*waiting)


async def _line(reader: asyncio.StreamReader, word: bytes) -> None:
    async with asyncio.timeout(_WAIT_SECONDS):
        while line := await reader.readline():
            if word in line:
                return
    raise RuntimeError(f"A stream ended before {word!r} came.")


def _report(sessions: Sessions, lease: Lease, number: int, word: str) -> None:
    event = NewEvent("log", {"level": "info", "message": word, "code": ""})
    with sessions.begin() as session:
        attempts.write(session, lease, Report(number, [event]))


def _connections(sessions: Sessions) -> tuple[int, int]:
    time.sleep(_LOOK_SECONDS)
    with sessions.begin() as session:
        held, kept = session.execute(text(_CONNECTIONS)).one()
    return held, kept
