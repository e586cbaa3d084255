"""Workers that do nothing but claim, send a heartbeat and finish, as fast as they can, until the queue is empty."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench import queue_server
from bench.queue_calls import QUEUES
from bench.queue_filling import Share, fill
from bench.queue_server import Spent
from store import attempts, leases, turns
from store.attempts import Trace
from store.database import Sessions, make_sessions
from store.leases import Lease
from store.settings import Settings

LEASE = timedelta(seconds=75)
CALLS = ("claim", "heartbeat", "finish")
Answer = TypeVar("Answer")

_WRONG = """
    SELECT count(*) FROM jobs WHERE state <> 'succeeded' OR current_attempt <> 1
    OR 1 <> (SELECT count(*) FROM attempts WHERE job_id = jobs.id)
    OR 3 <> (SELECT count(*) FROM job_events WHERE job_id = jobs.id)
"""


@dataclass
class Log:
    """What one worker saw: the jobs it was given, seconds of each call, when claims were answered.

    empty: claims that found everything in sight held by others.
    """

    jobs: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    moments: list[float] = field(default_factory=list)
    empty: int = 0


@dataclass(frozen=True)
class Shift:
    """All workers together.

    doubled: times that a job was given to one more worker, and jobs that have not one attempt and the three events of a
    job that was done at once. seconds: from the first claim to the last. calls: milliseconds of each, with its commit.
    """

    jobs: int
    workers: int
    doubled: int
    seconds: float
    calls: Mapping[str, Sequence[float]]
    empty: int
    spent: Sequence[Spent]

    def database(self, call: str) -> float:
        """Milliseconds in the database for one call, planning included, commit excluded."""
        return sum(one.milliseconds for one in self.spent if one.role == _role(call)) / len(self.calls[call])


def shift(settings: Settings, jobs: int, workers: int, processes: int) -> Shift:
    """Queue so many jobs of several projects, let the workers empty the queue, and look for jobs claimed twice."""
    engine = queue_server.engine_of(settings)
    fill(engine, jobs, Share(queued=jobs, running=0, paused=0))
    queue_server.count_statements(engine, map(_role, CALLS))
    threads = [len(range(first, workers, processes)) for first in range(processes)]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        many = list(pool.map(_threads, [settings.database_url] * processes, range(processes), threads))
    logs = [log for some in many for log in some]
    spent = queue_server.statements(engine)
    given = Counter(job for log in logs for job in log.jobs)
    with engine.connect() as connection:
        wrong = connection.scalars(text(_WRONG)).one()
    engine.dispose()
    if len(given) != jobs:
        raise RuntimeError(f"{jobs - len(given)} of {jobs} jobs were given to nobody")
    moments = [moment for log in logs for moment in log.moments]
    return Shift(
        jobs,
        workers,
        sum(times - 1 for times in given.values()) + wrong,
        max(moments) - min(moments),
        {call: [1000 * one for log in logs for one in log.seconds.get(call, ())] for call in CALLS},
        sum(log.empty for log in logs),
        spent,
    )


def _role(call: str) -> str:
    return f"bench_{call}"


def _threads(database_url: str, number: int, threads: int) -> list[Log]:
    engine = queue_server.engine_of(queue_server.settings_of(database_url), connections=threads)
    sessions = make_sessions(engine)
    with ThreadPoolExecutor(threads) as pool:
        logs = list(pool.map(lambda n: _work(sessions, f"worker-{number}-{n}"), range(threads)))
    engine.dispose()
    return logs


def _work(sessions: Sessions, name: str) -> Log:
    log = Log()

    def timed(call: str, make: Callable[[Session], Answer]) -> Answer:
        with sessions.begin() as session:
            # So that the database counts each call's statements by themselves.
            session.execute(text(f"SET LOCAL ROLE {_role(call)}"))
            start = time.perf_counter()
            answer = make(session)
        log.seconds.setdefault(call, []).append(time.perf_counter() - start)
        return answer

    while True:
        claim = timed("claim", lambda session: turns.claim_next(session, QUEUES, worker_id=name, lease=LEASE))
        if claim is None:
            with sessions.begin() as session:
                if not turns.next_jobs(session, QUEUES):
                    return log
            log.empty += 1
            continue
        log.moments.append(time.time())
        log.jobs.append(claim.lease.job_id)
        _see_through(claim.lease, timed)


def _see_through(lease: Lease, timed: Callable[[str, Callable[[Session], object]], object]) -> None:
    if timed("heartbeat", lambda session: leases.heartbeat(session, lease, LEASE)) is None:
        raise RuntimeError(f"{lease} was lost")
    timed("finish", lambda session: attempts.succeed(session, lease, {"gain": 1.0}, Trace("The run is complete.")))
