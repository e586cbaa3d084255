"""Workers that were seen."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.tables import Job, Worker
from store.tables.base import Json


def seen(
    session: Session,
    worker_id: str,
    *,
    hostname: str,
    pid: int,
    queues: Sequence[str],
    device: str | None = None,
    job_id: str | None = None,
    classes: Sequence[str] = (),
    devices: Sequence[Json] = (),
    trouble: str | None = None,
    load: Json | None = None,
) -> None:
    """Note that a worker is there, what it is good for, what it works on, and why it takes nothing (`trouble`).

    load: how busy its machine is, as `worker/load.py` samples it.
    """
    values = {
        "hostname": hostname,
        "pid": pid,
        "queues": list(queues),
        "device": device,
        "job_id": job_id,
        "classes": list(classes),
        "devices": list(devices),
        "trouble": trouble,
        "load": load,
        "seen_at": func.clock_timestamp(),
    }
    session.execute(
        insert(Worker).values(id=worker_id, **values).on_conflict_do_update(index_elements=["id"], set_=values)
    )


def gone(session: Session, worker_id: str) -> None:
    """Forget a worker that shut down in order."""
    session.execute(delete(Worker).where(Worker.id == worker_id))


def list_live(session: Session, within: timedelta = timedelta(seconds=60)) -> Sequence[Worker]:
    """Workers seen lately."""
    return session.scalars(
        select(Worker).where(Worker.seen_at > func.clock_timestamp() - within).order_by(Worker.hostname, Worker.pid)
    ).all()


def jobs_of(session: Session, project_id: str, workers: Sequence[Worker]) -> dict[str, str]:
    """Names of this project's jobs that these workers have in hand, by id; of other projects' jobs nothing is said."""
    held = [worker.job_id for worker in workers if worker.job_id]
    query = select(Job.id, Job.name).where(Job.id.in_(held), Job.project_id == project_id)
    return {row.id: row.name for row in session.execute(query)}


def any_serves(session: Session, queue: str, within: timedelta = timedelta(seconds=60)) -> bool:
    """Whether a worker that was seen lately takes from this queue."""
    lately = Worker.seen_at > func.clock_timestamp() - within
    return session.scalar(select(Worker.id).where(lately, Worker.queues.any_() == queue).limit(1)) is not None


def serving(session: Session, queue: str, within: timedelta = timedelta(seconds=60)) -> Sequence[Worker]:
    """Workers seen lately that take from this queue."""
    lately = Worker.seen_at > func.clock_timestamp() - within
    return session.scalars(select(Worker).where(lately, Worker.queues.any_() == queue).order_by(Worker.id)).all()


def forget(session: Session, older_than: timedelta) -> None:
    """Drop workers not seen for long."""
    session.execute(delete(Worker).where(Worker.seen_at <= func.clock_timestamp() - older_than))
