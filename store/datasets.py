"""Data sets. An upload goes: `begin` -> stream to the object store -> `uploaded` -> checked by a worker -> ready.

The API: row = begin(...); commit; stored = objects.put(row.object_key, stream, ...); received(...); commit. When the
stream breaks: `abandon`. A crash in between leaves a row in `uploading`, which the steward expires.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, func, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from fgfi_core.spec import Data
from store import audit, check_leases, garbage, ids, outbox, quota
from store.errors import DatasetNotReady, NoSuchSplit, NotFound
from store.pages import Page, page
from store.states import DatasetState
from store.tables import Dataset, Export, Thumbnail
from store.tables.base import Json

RE_UPLOAD = "Upload the data set again."


def begin(session: Session, project_id: str, name: str, *, object_key: str | None = None) -> Dataset:
    """Make the row of an upload that starts now; its archive belongs at `object_key`, or is there already."""
    identity = ids.new("ds")
    key = object_key or f"datasets/{identity}/archive"
    row = Dataset(id=identity, project_id=project_id, name=name, state="uploading", object_key=key)
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def uploaded(session: Session, project_id: str, dataset_id: str, *, size: int, sha256: str) -> Dataset:
    """The archive is complete in the object store: queue its check. Raises NotFound."""
    row = _locked(session, project_id, dataset_id)
    if row.state != "uploading":
        raise DatasetNotReady(f"data set '{dataset_id}' is {row.state}, not uploading")
    row.size, row.sha256, row.state = size, sha256, "checking"
    session.flush()
    outbox.add(session, "dataset", row.id)
    audit.record(session, project_id, "dataset.create", row.id, name=row.name, size=size)
    return row


def received(
    session: Session, project_id: str, dataset_id: str, *, size: int, sha256: str, limit: int | None
) -> tuple[Dataset, bool]:
    """The archive came in one request: its data set, queued for its check, or the one that holds the same already.

    limit: bytes of a project that has no limit of its own. Returns whether it was there before; then what came is
    collected. Raises NotFound, QuotaExceeded.
    """
    quota.in_turn(session, project_id)
    there = same(session, project_id, sha256)
    if there is not None:
        abandon(session, project_id, dataset_id)
        return there, True
    quota.require(session, project_id, size, limit)
    return uploaded(session, project_id, dataset_id, size=size, sha256=sha256), False


def same(session: Session, project_id: str, sha256: str) -> Dataset | None:
    """The project's data set of this content, the oldest. The caller holds `quota.in_turn`."""
    # A rejected one is checked anew: a later version of the service may read what an earlier one did not.
    query = select(Dataset).where(
        Dataset.project_id == project_id,
        Dataset.sha256 == sha256,
        Dataset.deleted_at.is_(None),
        Dataset.state.in_(("checking", "ready")),
    )
    return session.scalars(query.order_by(Dataset.created_at, Dataset.id).limit(1)).first()


def abandon(session: Session, project_id: str, dataset_id: str) -> None:
    """Forget an upload that broke off. Raises NotFound."""
    row = _locked(session, project_id, dataset_id)
    if row.state == "uploading":
        garbage.add(session, [row.object_key])
        session.delete(row)
        session.flush()


def get(session: Session, project_id: str, dataset_id: str) -> Dataset:
    """One data set that is not deleted. Raises NotFound."""
    row = session.scalar(_in_project(project_id, dataset_id))
    if row is None:
        raise NotFound(f"there is no data set '{dataset_id}'")
    return row


def list_page(
    session: Session,
    project_id: str,
    *,
    states: Sequence[DatasetState] = (),
    cursor: str | None = None,
    limit: int = 20,
) -> Page[Dataset]:
    """Data sets that are not deleted, newest first. Raises BadCursor."""
    query = select(Dataset).where(Dataset.project_id == project_id, Dataset.deleted_at.is_(None))
    if states:
        query = query.where(Dataset.state.in_(states))
    return page(session, query, Dataset, cursor=cursor, limit=limit)


def revisions(session: Session, project_id: str, name: str, limit: int = 50) -> Sequence[Dataset]:
    """The data sets of one name that are not deleted, newest first: each upload of a name is a revision of its own."""
    query = select(Dataset).where(Dataset.project_id == project_id, Dataset.name == name, Dataset.deleted_at.is_(None))
    return session.scalars(query.order_by(Dataset.created_at.desc(), Dataset.id.desc()).limit(limit)).all()


def delete(session: Session, project_id: str, dataset_id: str) -> None:
    """Delete a data set and collect its archives. Jobs still to run on it fail with `dataset_gone`. Raises NotFound."""
    row = _locked(session, project_id, dataset_id)
    row.deleted_at = func.clock_timestamp()
    pictures = select(Thumbnail.object_key).where(Thumbnail.dataset_id == row.id)
    garbage.add(session, [row.object_key, *session.scalars(pictures)])
    session.execute(sql_delete(Thumbnail).where(Thumbnail.dataset_id == row.id))
    written = sql_delete(Export).where(Export.dataset_id == row.id).returning(Export.object_key)
    garbage.add(session, [key for key in session.scalars(written) if key is not None])
    session.flush()
    audit.record(session, project_id, "dataset.delete", row.id, name=row.name)


def for_new_job(session: Session, project_id: str, asked: Data) -> Dataset:
    """The data set of a job to be made. Raises NotFound, DatasetNotReady, NoSuchSplit."""
    row = ready(session, project_id, asked.id)
    # Known since the check: better told now than by a run that waited for its turn.
    for role, name in (("train", asked.train), ("val", asked.val)):
        require_split(row, f"dataset.{role}", name)
    return row


def ready(session: Session, project_id: str, dataset_id: str | None) -> Dataset:
    """A data set that can be used. Raises NotFound, DatasetNotReady."""
    if dataset_id is None:
        raise NotFound("the job names no data set", hint="Set dataset.id to a data set's id, such as ds_...")
    row = get(session, project_id, dataset_id)
    if row.state != "ready":
        hint = "Read its report, mend it and upload it again." if row.state == "rejected" else "Wait for its check."
        raise DatasetNotReady(f"data set '{dataset_id}' is {row.state}, not ready", hint=hint)
    return row


def require_split(row: Dataset, field: str, name: str) -> None:
    """Raises NoSuchSplit, told of the spec's field, when the check found no split of this name."""
    splits = (row.report or {}).get("splits")
    if splits is not None and name not in splits:
        message = f"{field} is '{name}', but data set '{row.name}' has no such split"
        raise NoSuchSplit(message, field=field, hint=f"Its splits: {', '.join(sorted(splits))}.")


def for_attempt(session: Session, dataset_id: str) -> Dataset:
    """The data set of a job that runs, for the worker. Raises NotFound when it was deleted."""
    row = session.scalar(select(Dataset).where(Dataset.id == dataset_id, Dataset.deleted_at.is_(None)))
    if row is None:
        raise NotFound(f"data set '{dataset_id}' was deleted")
    return row


def claim_check(session: Session, dataset_id: str, lease: timedelta) -> Dataset | None:
    """Take the check of a data set, for one lease. None: it is done, taken or gone, which is no error."""
    return check_leases.claim(session, Dataset, dataset_id, lease, RE_UPLOAD)


def renew_check(session: Session, dataset_id: str, token: str, lease: timedelta) -> bool:
    """Prolong the lease of a check. False: it is lost, stop."""
    return check_leases.renew(session, Dataset, dataset_id, token, lease)


def excuse_check(session: Session, dataset_id: str, token: str) -> None:
    """Let a check that the object store kept from beginning not count; it is tried again when its lease has ended."""
    check_leases.excuse(session, Dataset, dataset_id, token)


def finish_check(
    session: Session, dataset_id: str, token: str, *, report: Json | None, error: Json | None = None
) -> Dataset:
    """Write the outcome of a check: ready, or rejected when there is an error. Raises LeaseLost."""
    return check_leases.finish(session, Dataset, dataset_id, token, report, error)


def expire_uploads(session: Session, older_than: timedelta) -> int:
    """Delete rows of uploads that never completed; returns how many."""
    rows = session.scalars(
        select(Dataset)
        .where(Dataset.state == "uploading", Dataset.created_at <= func.clock_timestamp() - older_than)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        garbage.add(session, [row.object_key])
        session.delete(row)
    session.flush()
    return len(rows)


def _in_project(project_id: str, dataset_id: str) -> Select[Dataset]:
    return select(Dataset).where(
        Dataset.id == dataset_id, Dataset.project_id == project_id, Dataset.deleted_at.is_(None)
    )


def _locked(session: Session, project_id: str, dataset_id: str) -> Dataset:
    query = _in_project(project_id, dataset_id).with_for_update(key_share=True)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(f"there is no data set '{dataset_id}'")
    return row
