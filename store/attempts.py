"""What an attempt writes under its lease: reports of its child, and its end. A lost lease raises LeaseLost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store import events, outbox
from store.events import NewEvent
from store.jsonable import clean_text
from store.leases import Lease, Pulse, fence, own, pulse_of
from store.states import Ending, JobState, after_ending, is_terminal
from store.tables import Attempt, Job, Metric
from store.tables.base import Json

METRIC_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class NewMetric:
    """One value of one step."""

    stage: str
    seed: int
    name: str
    step: int
    epoch: float
    value: float


@dataclass(frozen=True)
class Report:
    """What a child said since the last report. None leaves the job's field as it is.

    number: rises by one with each report of an attempt, so that one sent again (was it committed?) counts once.
    """

    number: int
    events: Sequence[NewEvent] = ()
    metrics: Sequence[NewMetric] = ()
    stage: str | None = None
    progress: Json | None = None
    resolved: Json | None = None
    device: str | None = None
    step: int | None = None


@dataclass(frozen=True)
class Budget:
    """How many losses a job survives, and how long it then waits (seconds)."""

    losses: int = 5
    poison: int = 3
    backoff: float = 10
    backoff_limit: float = 360

    def wait(self, losses: int) -> timedelta:
        """The pause before the next attempt: doubles with each loss."""
        return timedelta(seconds=min(self.backoff * 2 ** max(0, losses - 1), self.backoff_limit))


@dataclass(frozen=True)
class Trace:
    """What is kept of an attempt that ended: why, in words and in a word; its child's last output and exit code."""

    message: str
    log_tail: str | None = None
    reason: str | None = None
    exit_code: int | None = None


def write(session: Session, lease: Lease, report: Report) -> Pulse:
    """Write a report; the reply says what the user wants of the job meanwhile. Raises LeaseLost."""
    job = fence(session, lease)
    fresh = session.scalar(
        update(Attempt)
        .where(*own(lease), Attempt.reports < report.number)
        .values(
            reports=report.number,
            last_step=Attempt.last_step if report.step is None else report.step,
            device=Attempt.device if report.device is None else clean_text(report.device),
            last_stage=Attempt.last_stage if report.stage is None else report.stage,
        )
        .returning(Attempt.reports)
    )
    if fresh is not None:
        for field in ("stage", "progress", "resolved"):
            value = getattr(report, field)
            if value is not None:
                setattr(job, field, value)
        for start in range(0, len(report.metrics), METRIC_ROWS_AT_ONCE):
            rows = [_metric_row(lease, metric) for metric in report.metrics[start : start + METRIC_ROWS_AT_ONCE]]
            session.execute(insert(Metric).on_conflict_do_nothing(), rows)
        events.append(session, job, report.events)
        session.flush()
    return pulse_of(job.state)


def resumed(session: Session, lease: Lease, checkpoints: Sequence[Json]) -> None:
    """Note which checkpoints an attempt goes on from. Raises LeaseLost."""
    fence(session, lease)
    session.execute(update(Attempt).where(*own(lease)).values(resumed_from=list(checkpoints)))


def succeed(session: Session, lease: Lease, result: Json, trace: Trace) -> JobState:
    """The run is complete. Raises LeaseLost: then the result is discarded. Returns the job's state."""
    job = fence(session, lease)
    job.result = result
    return _end(session, job, lease, "succeeded", trace=trace, message="The job is done.")


def fail(session: Session, lease: Lease, error: Json, trace: Trace) -> JobState:
    """The run cannot succeed; error: {code, message, hint}. Raises LeaseLost. Returns the job's state."""
    job = fence(session, lease)
    job.error = error
    return _end(session, job, lease, "failed", trace=trace, message=str(error["message"]))


def stop(session: Session, lease: Lease, trace: Trace) -> JobState:
    """The child stopped because it was asked to: the job is cancelled, rests or is queued again, as it was asked.

    Raises LeaseLost. Returns the job's state.
    """
    job = fence(session, lease)
    return _end(session, job, lease, "stopped", trace=trace, message=trace.message)


def shrink(session: Session, lease: Lease, micro_batch: int, error: Json, trace: Trace, retries: int = 1) -> JobState:
    """Memory ran out: queue the job with a smaller micro-batch, or fail it with the error after so many retries.

    Counts against no other budget. Raises LeaseLost. Returns the job's state.
    """
    job = fence(session, lease)
    if job.memory_retries >= retries:
        job.error = error
        return _end(session, job, lease, "failed", trace=trace, message=str(error["message"]))
    job.memory_retries += 1
    job.micro_batch = micro_batch
    message = f"{trace.message} Trying again with {micro_batch} image{'s' if micro_batch > 1 else ''} at once."
    return _end(session, job, lease, "lost", trace=trace, message=message)


def lose(session: Session, lease: Lease, budget: Budget, trace: Trace) -> JobState:
    """The worker saw its child die of no fault of the user's. Raises LeaseLost. Returns the job's state."""
    return end_lost(session, fence(session, lease), lease, budget, trace)


def end_lost(session: Session, job: Job, lease: Lease, budget: Budget, trace: Trace) -> JobState:
    """End a lost attempt whose job and attempt rows are held: within its budget the job is queued again."""
    job.losses += 1
    job.losses_without_checkpoint += 1
    message = f"Attempt {lease.attempt} was lost: {trace.message}"
    if job.state == "running" and job.losses_without_checkpoint >= budget.poison:
        job.error = {
            "code": "poison",
            "message": f"{job.losses_without_checkpoint} attempts in a row were lost without progress. {trace.message}",
            "hint": "The job itself seems to bring its worker down: see the log of its last attempt.",
        }
        return _end(session, job, lease, "failed", trace=trace, message=message)
    if job.state == "running" and job.losses > budget.losses:
        job.error = {
            "code": "infrastructure_lost",
            "message": f"{job.losses} attempts were lost. {trace.message}",
            "hint": "Nothing is wrong with the job: submit it again when the workers are well.",
        }
        return _end(session, job, lease, "failed", trace=trace, message=message)
    return _end(session, job, lease, "lost", trace=trace, message=message, wait=budget.wait(job.losses))


def _end(
    session: Session,
    job: Job,
    lease: Lease,
    ending: Ending,
    *,
    trace: Trace,
    message: str,
    wait: timedelta = timedelta(0),
) -> JobState:
    """End the attempt and move its job, both rows being held."""
    session.execute(
        update(Attempt)
        .where(*own(lease), Attempt.ended_at.is_(None))
        .values(
            ended_at=func.clock_timestamp(),
            outcome=ending,
            message=clean_text(trace.message),
            reason=trace.reason,
            exit_code=trace.exit_code,
            log_tail=None if trace.log_tail is None else clean_text(trace.log_tail),
        )
    )
    state = after_ending(job.state, ending)
    if is_terminal(state):
        job.finished_at = func.clock_timestamp()
        job.progress = None
    if state != "succeeded":
        job.result = None
    if state != "failed":
        job.error = None
    if state == "queued":
        job.available_at = func.clock_timestamp() + wait
    events.move(session, job, state, message)
    if state == "queued":
        session.refresh(job, ["available_at"])
        outbox.add(session, "job", job.id, job.available_at)
    return state


def _metric_row(lease: Lease, metric: NewMetric) -> Json:
    return {
        "job_id": lease.job_id,
        "attempt": lease.attempt,
        "stage": metric.stage,
        "seed": metric.seed,
        "name": clean_text(metric.name),
        "step": metric.step,
        "epoch": metric.epoch,
        "value": metric.value,
    }
