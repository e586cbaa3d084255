"""Exports of data sets in another format: asked for here, made by a worker, kept for a while."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store import audit, check_leases, datasets, garbage, ids, outbox
from store.errors import NotFound, WrongState
from store.objects import Stored
from store.tables import Dataset, Export
from store.tables.base import Json

ASK_AGAIN = "Ask for the export again; if it is lost again, convert the data set with `fgfi datasets convert`."


def create(session: Session, project_id: str, dataset_id: str, format_name: str, keep: timedelta) -> Export:
    """The data set's export in this format: the one that is there or under way, or a new one, which is queued.

    keep: how long one that is there stays from now. Raises NotFound, DatasetNotReady.
    """
    # Others that ask wait here, and find what we made; so does whoever deletes the data set.
    session.execute(select(Dataset.id).where(Dataset.id == dataset_id).with_for_update(key_share=True))
    source = datasets.ready(session, project_id, dataset_id)
    same = select(Export).where(
        Export.dataset_id == source.id, Export.format == format_name, Export.state != Export.REFUSED
    )
    row = session.scalar(same.with_for_update())
    if row is not None:
        if row.state == "ready":
            row.expires_at = func.clock_timestamp() + keep
        session.flush()
        session.refresh(row)
        return row
    row = Export(id=ids.new("exp"), dataset_id=source.id, format=format_name)
    session.add(row)
    session.flush()
    session.refresh(row)
    outbox.add(session, "export", row.id)
    audit.record(session, project_id, "dataset.export", source.id, export=row.id, format=format_name)
    return row


def list_all(session: Session, project_id: str, dataset_id: str) -> Sequence[Export]:
    """A data set's exports, newest first. Raises NotFound."""
    source = datasets.get(session, project_id, dataset_id)
    query = select(Export).where(Export.dataset_id == source.id)
    return session.scalars(query.order_by(Export.created_at.desc(), Export.id)).all()


def get(session: Session, project_id: str, dataset_id: str, export_id: str) -> Export:
    """One of them. Raises NotFound."""
    source = datasets.get(session, project_id, dataset_id)
    row = session.scalar(select(Export).where(Export.id == export_id, Export.dataset_id == source.id))
    if row is None:
        raise NotFound(f"data set '{dataset_id}' has no export '{export_id}'", hint="It may have expired: ask again.")
    return row


def archive(session: Session, project_id: str, dataset_id: str, export_id: str) -> Stored:
    """The archive of one that is ready. Raises NotFound, WrongState."""
    row = get(session, project_id, dataset_id, export_id)
    if row.object_key is None or row.size is None or row.sha256 is None:
        hint = ASK_AGAIN if row.state == Export.REFUSED else "Read it again until its state is `ready`."
        raise WrongState(f"export '{export_id}' is {row.state}", state=row.state, hint=hint)
    return Stored(row.object_key, row.size, row.sha256)


def claim(session: Session, export_id: str, lease: timedelta, keep: timedelta) -> tuple[Export, Dataset] | None:
    """Take an export with its data set, for one lease. None: it is done, taken or gone, which is no error.

    keep: how long one stays that was lost too often.
    """
    row = check_leases.claim(session, Export, export_id, lease, ASK_AGAIN, code="export_failed")
    if row is None:
        lost = session.get(Export, export_id)
        if lost is not None and lost.state == Export.REFUSED and lost.expires_at is None:
            lost.expires_at = func.clock_timestamp() + keep
        return None
    return row, session.get_one(Dataset, row.dataset_id)


def finish(
    session: Session,
    export_id: str,
    token: str,
    keep: timedelta,
    *,
    report: Json | None = None,
    error: Json | None = None,
    archive: Stored | None = None,
) -> Export:
    """Write the outcome: ready with its archive, or failed when there is an error. Raises LeaseLost."""
    row = check_leases.held(session, Export, export_id, token)
    if archive is not None:
        row.object_key, row.size, row.sha256 = archive.key, archive.size, archive.sha256
    row.expires_at = func.clock_timestamp() + keep
    return check_leases.finish(session, Export, export_id, token, report, error)


def expire(session: Session) -> None:
    """Delete the exports whose time is over, and collect their archives."""
    over = select(Export).where(Export.expires_at <= func.clock_timestamp()).with_for_update(skip_locked=True)
    _discard(session, session.scalars(over).all())


def _discard(session: Session, rows: Sequence[Export]) -> None:
    garbage.add(session, [row.object_key for row in rows if row.object_key is not None])
    session.execute(delete(Export).where(Export.id.in_([row.id for row in rows])))
    session.flush()
