"""How the queue bears load: many workers at once, and many jobs in the tables.

    python -m bench.queue_load [--jobs 10000 --workers 50] [--rows 1000 100000 1000000] [--rounds 31] [--write]

Starts its own PostgreSQL in a temporary folder. First so many fake workers empty a queue; then each call of the store
is timed on databases of so many jobs, one after the other in every round, so that a busy moment of the machine meets
all sizes alike. The times are of a call without its commit, which takes as long whatever the tables hold; a ratio is
the median over rounds of that round's time over the smallest database's. The aim is at most 1.5. `--write` keeps the
results in docs/results, and `python -m bench.results` puts them on the page. A million jobs take five gigabytes.

Not `queue.py`: to a script that is run by its path, that name would hide Python's own module.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import queue_filling, queue_server
from bench.queue_calls import Call, Calls
from bench.queue_plans import Plan, watched
from bench.queue_workers import Shift, shift
from bench.results import keep
from store.database import Sessions, make_sessions


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000, help="0: no workers.")
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2, help="The workers are threads of so many processes.")
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, queue_server.running(Path(folder, "postgres")) as url:
        if asked.jobs:
            settings = queue_server.make_database(url, "queue")
            done = shift(settings, asked.jobs, asked.workers, asked.processes)
            keep("queue-workers", of_shift(done), write=asked.write)
            print(f"{done.jobs / done.seconds:.1f} jobs a second; {done.empty} claims found all heads held by others")
            for spent in done.spent[:12]:
                statement = " ".join(spent.query.split())[:90]
                each = spent.milliseconds / spent.calls
                print(f"{spent.role:16s} {spent.calls:6d} times {each:8.3f} ms  {statement}", flush=True)
        if asked.rows:
            keep("queue", grown(url, asked.rows, asked.rounds), write=asked.write)


def of_shift(done: Shift) -> list[dict[str, Any]]:
    """One row per call of the workers: how often and per second, milliseconds with the commit and in the database."""
    return [
        {
            "call": call,
            "workers": done.workers,
            "calls": len(times),
            "per_second": round(len(times) / done.seconds, 1),
            "p50": round(statistics.median(times), 1),
            "p99": round(statistics.quantiles(times, n=100)[98], 1),
            "database": round(done.database(call), 2),
            "doubled": done.doubled,
        }
        for call, times in done.calls.items()
    ]


def grown(url: str, sizes: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    """One row per call: medians on databases of each size, ratios to the smallest, how the largest went about it."""
    with ExitStack() as open_engines:
        places: list[tuple[Sessions, Sequence[Call]]] = []
        for rows in sizes:
            engine = queue_server.engine_of(queue_server.make_database(url, f"jobs_{rows}"))
            open_engines.callback(engine.dispose)
            start = time.perf_counter()
            queue_filling.fill(engine, rows)
            print(f"{rows:8d} jobs made in {time.perf_counter() - start:.0f} s", flush=True)
            sessions = make_sessions(engine)
            with sessions.begin() as session:
                places.append((sessions, Calls.of(session).all()))
        times = _times(places, rounds)
        plans = [_plans(sessions, calls) for sessions, calls in places]
    return [
        {
            "call": name,
            "rows": list(sizes),
            "ms": [round(statistics.median(own), 2) for own in of_sizes],
            "ratio": [
                round(statistics.median(a / b for a, b in zip(own, of_sizes[0], strict=True)), 2) for own in of_sizes
            ],
            "read": [sum(plan.rows for plan in own[name]) for own in plans],
            "by": sorted({scan for plan in plans[-1][name] for scan in plan.scans}),
        }
        for name, of_sizes in times.items()
    ]


def _times(places: Sequence[tuple[Sessions, Sequence[Call]]], rounds: int) -> Mapping[str, list[list[float]]]:
    """Milliseconds of each call at each place in each round, after a round of warm-up."""
    times: dict[str, list[list[float]]] = {call.name: [[] for _ in places] for call in places[0][1]}
    for number in range(rounds + 1):
        for at_sizes in zip(*(calls for _, calls in places), strict=True):
            for place, call in enumerate(at_sizes):
                spent = _once(places[place][0], call)
                if number:
                    times[call.name][place].append(spent)
    return times


def _once(sessions: Sessions, call: Call) -> float:
    with sessions.begin() as session:
        given = call.prepare(session)
    with sessions.begin() as session:
        session.connection()
        start = time.perf_counter()
        call.make(session, given)
        session.flush()
        return 1000 * (time.perf_counter() - start)


def _plans(sessions: Sessions, calls: Sequence[Call]) -> Mapping[str, list[Plan]]:
    found: dict[str, list[Plan]] = {}
    engine = sessions.kw["bind"]
    for call in calls:
        with sessions.begin() as session:
            given = call.prepare(session)
        with watched(engine) as plans, sessions.begin() as session:
            call.make(session, given)
        found[call.name] = plans
    return found


if __name__ == "__main__":
    main()
