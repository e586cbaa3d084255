"""Objects to be deleted: noted in the transaction that makes them superfluous, deleted later by the steward."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.tables import Artifact, Checkpoint, Dataset, Export, Garbage, Model, Thumbnail


def add(session: Session, object_keys: Iterable[str], after: timedelta = timedelta(0)) -> None:
    """Note objects to be deleted, at the earliest after this time (downloads may be under way)."""
    rows = [{"object_key": key, "due_at": func.clock_timestamp() + after} for key in sorted(set(object_keys))]
    for row in rows:
        session.execute(insert(Garbage).values(row).on_conflict_do_nothing())


def add_of_job(session: Session, job_id: str) -> None:
    """Note all objects a job published."""
    for table in (Checkpoint, Artifact):
        add(session, session.scalars(select(table.object_key).where(table.job_id == job_id)).all())


def take_due(session: Session, limit: int = 100) -> Sequence[str]:
    """Lock the objects that are due. Delete them, then `forget` them in the same transaction."""
    return session.scalars(
        select(Garbage.object_key)
        .where(Garbage.due_at <= func.clock_timestamp())
        .order_by(Garbage.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def forget(session: Session, object_keys: Sequence[str]) -> None:
    """Drop the notes of deleted objects."""
    session.execute(delete(Garbage).where(Garbage.object_key.in_(object_keys)))


def unreferenced(session: Session, object_keys: Sequence[str]) -> set[str]:
    """Which of these objects no row names."""
    known: set[str] = set()
    named = (Checkpoint, Artifact, Garbage, Dataset, Export, Model, Thumbnail)
    for column in (table.object_key for table in named):
        known.update(session.scalars(select(column).where(column.in_(object_keys))))
    return set(object_keys) - known
