"""How fast the API answers, what 500 open streams cost, how long it takes to start, and its memory.

    python -m bench.api [--rows 1000 100000 1000000] [--rounds 6] [--streams 500] [--starts 5] [--write]

Starts its own PostgreSQL in a temporary folder, with one database per number of jobs and one API process for each. Each
call is made in bursts on a few connections, size after size in every round, so that a busy moment of the machine meets
all sizes alike. Without limits of rate, which would have the last word. `--write` keeps the results in docs/results;
`python -m bench.results` puts them on the page. A million jobs take five gigabytes.

Client, API and database share the machine: on two cores the client's own part counts, too.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import api_calls, api_process, api_streams, queue_filling, queue_server
from bench.api_calls import Call, Client, Timed
from bench.api_process import Api
from bench.results import keep
from store import keys
from store.database import Sessions, make_sessions
from store.settings import Settings

COMPILED = "compiled"


@dataclass(frozen=True)
class Place:
    """A filled database with an API before it."""

    rows: int
    sessions: Sessions
    key: str
    api: Api
    client: Client
    calls: Sequence[Call]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--connections", type=int, default=4, help="How many requests there are at once.")
    parser.add_argument("--each", type=int, default=12, help="Requests of a connection in a burst.")
    parser.add_argument("--streams", type=int, default=500, help="0: none.")
    parser.add_argument("--events", type=int, default=5, help="Told to all streams, one after the other.")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(queue_server.running(folder / "postgres"))
        places = [_place(stack, folder, url, rows, asked.connections) for rows in asked.rows]
        started = _starts(folder, places[0].sessions, asked.starts)
        before = [place.api.peak() for place in places]
        keep("api", _calls(places, asked.rounds, asked.each), write=asked.write)
        process = [*started, _row("memory after its start, MiB", [before[-1]])]
        process.append(_row(f"memory at its peak, calls on {asked.rows[-1]:,} jobs, MiB", [places[-1].api.peak()]))
        if asked.streams:
            process.extend(_streams(places[-1], asked.streams, asked.events))
        keep("api-process", process, write=asked.write)


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    """What the API's process is told: this database, a folder, no broker, no limits."""
    return {
        "FGFI_DATABASE_URL": settings.database_url,
        "FGFI_REDIS_URL": settings.redis_url,
        "FGFI_STORAGE_URL": (folder / "objects").as_uri(),
        "FGFI_SECRET_KEY": settings.secret_key.get_secret_value(),
        "FGFI_RATE_READS": "0",
        "FGFI_RATE_WRITES": "0",
        **api_process.compiled(folder / COMPILED),
    }


def _place(stack: ExitStack, folder: Path, url: str, rows: int, connections: int) -> Place:
    settings = queue_server.make_database(url, f"jobs_{rows}")
    engine = queue_server.engine_of(settings)
    stack.callback(engine.dispose)
    start = time.perf_counter()
    queue_filling.fill(engine, rows)
    sessions = make_sessions(engine)
    with sessions.begin() as session:
        key = keys.create(session, api_calls.PROJECT, "bench", ("submit", "read"), settings.secret_key).token
        calls = api_calls.of(session)
    queue_filling.settle(engine)
    print(f"{rows:8d} jobs made in {time.perf_counter() - start:.0f} s", flush=True)
    told = environment(settings, folder)
    if not (folder / COMPILED).exists():
        # A process that compiles its modules itself has more memory, and takes longer, than any that follows.
        with api_process.running(told):
            pass
    api = stack.enter_context(api_process.running(told))
    client = stack.enter_context(api_calls.client(api, key, connections))
    return Place(rows, sessions, key, api, client, calls)


def _calls(places: Sequence[Place], rounds: int, each: int) -> list[dict[str, Any]]:
    """One row per call, with a figure per number of jobs; a first round warms up."""
    rows = []
    for number, call in enumerate(places[0].calls):
        timed = [Timed() for _ in places]
        for turn in range(rounds + 1):
            for place, times in zip(places, timed, strict=True):
                place.client.burst(place.calls[number], each, times if turn else Timed())
        rows.append(
            {
                "call": call.name,
                "rows": [place.rows for place in places],
                "requests": len(timed[0].milliseconds),
                "per_second": [round(times.per_second, 1) for times in timed],
                "p50": [round(statistics.median(times.milliseconds), 1) for times in timed],
                "p99": [round(statistics.quantiles(times.milliseconds, n=100)[98], 1) for times in timed],
            }
        )
    return rows


def _starts(folder: Path, sessions: Sessions, starts: int) -> list[dict[str, Any]]:
    """The start of a process, when what it imports has been compiled already."""
    settings = queue_server.settings_of(sessions.kw["bind"].url.render_as_string(hide_password=False))
    found: list[tuple[float, float]] = []
    for _ in range(starts):
        with api_process.running(environment(settings, folder)) as api:
            found.append((api.ready, api.cpu))
    wall, cpu = zip(*found, strict=True)
    return [_row("start to the first answer, s", wall), _row("of these on a processor, s", cpu)]


def _streams(place: Place, count: int, events: int) -> list[dict[str, Any]]:
    seen = asyncio.run(api_streams.watch(place.api, place.key, place.sessions, count, events))
    return [
        _row(f"{seen.count} streams opened, each with the past, s", [seen.opened]),
        _row("an event at the median stream, s", seen.median),
        _row("an event at all streams, s", seen.all),
        _row("database connections in use while they wait", [seen.held]),
        _row("database connections in the pool", [seen.kept]),
        _row("memory at its peak, streams included, MiB", [place.api.peak()]),
    ]


def _row(what: str, values: Sequence[float]) -> dict[str, Any]:
    return {"what": what, "values": [round(value, 2) for value in values]}


if __name__ == "__main__":
    main()
