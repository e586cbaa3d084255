"""What `machine.py` asks of the store: each write of an attempt by its name, and what the tables say of all jobs."""

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store import artifacts, attempts, checkpoints
from store.artifacts import NewArtifact
from store.attempts import NewMetric, Report
from store.checkpoints import NewCheckpoint
from store.events import NewEvent
from store.tables import Attempt, Checkpoint, Job, JobEvent, Outbox
from tests.integration.store.machine_model import BUDGET, ERROR, TRACE, Held, Life


def call(session: Session, life: Life, held: Held, what: str) -> None:
    """One write of an attempt. Raises LeaseLost."""
    lease = held.lease
    step = len(life.steps) + 1
    number = max(1, held.reports) if what == "repeat" else held.reports + 1
    metric = NewMetric("teacher", 0, "loss", number, 0.5, 1.0)
    key = f"{life.id}/{lease.token}/{life.keys}"
    calls: dict[str, Any] = {
        "resumed": lambda: attempts.resumed(session, lease, [{"stage": "teacher"}]),
        "checkpoint": lambda: checkpoints.publish(
            session, lease, NewCheckpoint("teacher", 0, step, False, "a.pt", key, 1, "s")
        ),
        "artifact": lambda: artifacts.publish(
            session, lease, NewArtifact("student", "onnx", "a.onnx", key, "application/octet-stream", 1, "s")
        ),
        "succeed": lambda: attempts.succeed(session, lease, {"attempt": lease.attempt}, TRACE),
        "fail": lambda: attempts.fail(session, lease, ERROR, TRACE),
        "stop": lambda: attempts.stop(session, lease, TRACE),
        "lose": lambda: attempts.lose(session, lease, BUDGET, TRACE),
        "shrink": lambda: attempts.shrink(session, lease, 4, ERROR, TRACE),
    }
    if what in calls:
        calls[what]()
    else:
        attempts.write(session, lease, Report(number, [NewEvent("log")], [metric]))


def rows(session: Session) -> dict[str, tuple[object, ...]]:
    """Of each job what `Life.row` says it should be."""
    tried: dict[str, list[Attempt]] = defaultdict(list)
    for row in session.scalars(select(Attempt).order_by(Attempt.number)):
        tried[row.job_id].append(row)
    kept: dict[str, list[int]] = defaultdict(list)
    for job_id, step in session.execute(select(Checkpoint.job_id, Checkpoint.step).order_by(Checkpoint.id)):
        kept[job_id].append(step)
    told = {
        job_id: (count, last)
        for job_id, count, last in session.execute(
            select(JobEvent.job_id, func.count(), func.max(JobEvent.sequence)).group_by(JobEvent.job_id)
        )
    }
    messages = Counter(session.scalars(select(Outbox.subject_id)))
    return {
        job.id: (
            job.state,
            job.current_attempt,
            (job.losses, job.losses_without_checkpoint, job.memory_retries),
            job.result,
            None if job.error is None else job.error["code"],
            job.finished_at is not None,
            [(row.number, row.outcome) for row in tried[job.id]],
            [row.number for row in tried[job.id] if row.ended_at is None],
            (job.last_sequence, *told[job.id]),
            messages[job.id],
            kept[job.id],
        )
        for job in session.scalars(select(Job))
    }
