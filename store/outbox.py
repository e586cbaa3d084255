"""Messages that follow from committed changes: written with the change, published later by the steward.

A message is only a hint that names a job, a data set, a model or an export; losing one or sending it twice harms
nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from store import check_leases
from store.tables import Dataset, Export, Job, Model, Outbox

Kind = Literal["job", "dataset", "model", "export"]
Table = type[Job] | type[Dataset] | type[Model] | type[Export]
TABLES: dict[Kind, Table] = {"job": Job, "dataset": Dataset, "model": Model, "export": Export}


def add(session: Session, kind: Kind, subject_id: str, available_at: datetime | None = None) -> None:
    """Leave a message to be published once this transaction is committed (or later, at `available_at`)."""
    queue = session.scalar(select(Job.queue).where(Job.id == subject_id)) if kind == "job" else None
    row = Outbox(kind=kind, subject_id=subject_id, queue=queue)
    if available_at is not None:
        row.available_at = available_at
    session.add(row)
    session.flush()


def take_due(session: Session, limit: int = 100) -> Sequence[Outbox]:
    """Lock the messages that are due. Publish them, then `mark` them in the same transaction."""
    return session.scalars(
        select(Outbox)
        .where(Outbox.published_at.is_(None), Outbox.available_at <= func.clock_timestamp())
        .order_by(Outbox.available_at, Outbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def mark(session: Session, messages: Sequence[Outbox]) -> None:
    """Mark messages as published."""
    session.execute(
        update(Outbox).where(Outbox.id.in_([m.id for m in messages])).values(published_at=func.clock_timestamp())
    )
    for kind in TABLES:
        announced(session, kind, [m.subject_id for m in messages if m.kind == kind])


def announced(session: Session, kind: Kind, subject_ids: Sequence[str]) -> None:
    """Note on jobs and others that they were announced now."""
    table = TABLES[kind]
    # In the order of their ids, and passing over rows somebody works on: this must never wait in a circle.
    free = select(table.id).where(table.id.in_(subject_ids)).order_by(table.id)
    free_ids = session.scalars(free.with_for_update(key_share=True, skip_locked=True)).all()
    if free_ids:
        session.execute(update(table).where(table.id.in_(free_ids)).values(published_at=func.clock_timestamp()))


def forgotten_jobs(session: Session, queue: str, older_than: timedelta, limit: int = 100) -> Sequence[str]:
    """Due jobs, queued and announced so long ago that their message may be lost; the longest unheard of first."""
    # As the index has it, and the clock asked once (it runs on, so that no index could be searched by it): only what is
    # found is read, however long the queue.
    last = func.greatest(Job.published_at, Job.available_at)
    before = select(func.clock_timestamp() - older_than).scalar_subquery()
    return session.scalars(
        select(Job.id).where(Job.state == "queued", Job.queue == queue, last <= before).order_by(last).limit(limit)
    ).all()


def forgotten_checks(
    session: Session, table: type[Dataset] | type[Model] | type[Export], older_than: timedelta, limit: int = 100
) -> Sequence[str]:
    """Data sets, models or exports that wait, announced long ago, with nobody at work on them."""
    return session.scalars(
        select(table.id)
        .where(
            check_leases.waits(table),
            func.coalesce(table.published_at, table.created_at) <= func.clock_timestamp() - older_than,
            (table.check_expires_at.is_(None)) | (table.check_expires_at <= func.clock_timestamp()),
        )
        .order_by(table.created_at, table.id)
        .limit(limit)
    ).all()


def forget_published(session: Session, older_than: timedelta) -> int:
    """Delete messages published long ago; returns how many."""
    result = session.execute(
        delete(Outbox).where(Outbox.published_at <= func.clock_timestamp() - older_than).returning(Outbox.id)
    )
    return len(result.all())
