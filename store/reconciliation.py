"""Comparing the database with the object store: rows without their objects, objects without a row.

May run beside the service: what seems wrong is looked at a second time, after everything was listed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from store import garbage
from store.database import Sessions, now
from store.errors import ObjectMissing
from store.objects import ObjectInfo, ObjectStore
from store.tables import Artifact, Checkpoint, Dataset, Export, Model

BATCH = 500

Table = type[Artifact] | type[Checkpoint] | type[Dataset] | type[Model] | type[Export]
# Which rows promise an object: a deleted data set and a damaged checkpoint keep their rows without one.
PROMISES: dict[Table, ColumnElement[bool]] = {
    Dataset: Dataset.deleted_at.is_(None) & Dataset.size.is_not(None) & (Dataset.state != "rejected"),
    Model: Model.deleted_at.is_(None) & Model.size.is_not(None),
    Checkpoint: Checkpoint.damaged_at.is_(None),
    Artifact: Artifact.object_key.is_not(None),
    Export: Export.object_key.is_not(None),
}


@dataclass(frozen=True)
class Promise:
    """What a row says of its object. `table` and `id` name the row."""

    table: str
    id: str
    key: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class Broken:
    """A promise that the store does not keep. found: the object's size in bytes; None where there is none."""

    promise: Promise
    reason: Literal["missing", "other size", "other content"]
    found: int | None


@dataclass(frozen=True)
class Reconciliation:
    """rows: that promise an object. orphans: objects that no row names, older than the grace period."""

    rows: int
    objects: int
    broken: Sequence[Broken]
    orphans: Sequence[ObjectInfo]
    deleted: int = 0


def reconcile(sessions: Sessions, objects: ObjectStore, grace: timedelta, *, contents: bool = False) -> Reconciliation:
    """Compare every row with its object and every object with its row.

    contents: read every object, too, and compare its sha256. Raises StorageAway, and SQLAlchemy's errors.
    """
    # A bucket or folder that is not there would make every row's object missing.
    objects.ready()
    with sessions.begin() as session:
        oldest = now(session) - grace
    sizes: dict[str, int] = {}
    old: list[ObjectInfo] = []
    for found in objects.list():
        sizes[found.key] = found.size
        if found.modified <= oldest:
            old.append(found)

    rows = 0
    broken: list[Broken] = []
    for table in PROMISES:
        for promise in _promises(sessions, table):
            rows += 1
            if contents or sizes.get(promise.key) != promise.size:
                reason = _reason(objects, promise, contents=contents)
                if reason is not None and _still_promised(sessions, table, promise):
                    broken.append(reason)
    orphans = [found for batch in _in_batches(old) for found in _unnamed(sessions, batch)]
    return Reconciliation(rows, len(sizes), broken, orphans)


def delete_orphans(sessions: Sessions, objects: ObjectStore, orphans: Sequence[ObjectInfo]) -> int:
    """Delete the objects that still nobody names; returns how many. Broken off, the steward goes on with it."""
    deleted = 0
    for batch in _in_batches(orphans):
        keys = [found.key for found in _unnamed(sessions, batch)]
        with sessions.begin() as session:
            garbage.add(session, keys)
        for key in keys:
            objects.delete(key)
        with sessions.begin() as session:
            garbage.forget(session, keys)
        deleted += len(keys)
    return deleted


def _promises(sessions: Sessions, table: Table) -> Iterator[Promise]:
    """In short transactions, by key: reading the objects between may take hours."""
    last = ""
    while True:
        with sessions.begin() as session:
            batch = _select(session, table, table.object_key > last)
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1].key


def _select(session: Session, table: Table, where: ColumnElement[bool]) -> list[Promise]:
    query = (
        select(table.id, table.object_key, table.size, table.sha256)
        .where(PROMISES[table], where)
        .order_by(table.object_key)
        .limit(BATCH)
    )
    name = table.__tablename__.removesuffix("s")
    return [Promise(name, str(row.id), row.object_key, row.size, row.sha256) for row in session.execute(query)]


def _still_promised(sessions: Sessions, table: Table, promise: Promise) -> bool:
    with sessions.begin() as session:
        return _select(session, table, table.object_key == promise.key) == [promise]


def _reason(objects: ObjectStore, promise: Promise, *, contents: bool) -> Broken | None:
    try:
        found = objects.head(promise.key).size
        if found != promise.size:
            return Broken(promise, "other size", found)
        if contents and promise.sha256 is not None:
            digest = sha256()
            for chunk in objects.get(promise.key):
                digest.update(chunk)
            if digest.hexdigest() != promise.sha256:
                return Broken(promise, "other content", found)
    except ObjectMissing:
        return Broken(promise, "missing", None)
    return None


def _unnamed(sessions: Sessions, batch: Sequence[ObjectInfo]) -> list[ObjectInfo]:
    with sessions.begin() as session:
        unnamed = garbage.unreferenced(session, [found.key for found in batch])
    return [found for found in batch if found.key in unnamed]


def _in_batches(found: Sequence[ObjectInfo]) -> Iterator[Sequence[ObjectInfo]]:
    for start in range(0, len(found), BATCH):
        yield found[start : start + BATCH]
