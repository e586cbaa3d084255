"""Small pictures of data sets, and how far a check is: both written by the check, under its lease."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from store import garbage
from store.datasets import get as get_dataset
from store.errors import NotFound
from store.tables import Dataset, Thumbnail


def tell(session: Session, dataset_id: str, token: str, done: int, total: int) -> None:
    """Note how many images a check has looked at; nothing is noted for one whose lease is lost."""
    session.execute(
        update(Dataset)
        .where(
            Dataset.id == dataset_id,
            Dataset.check_token == token,
            Dataset.check_expires_at > func.clock_timestamp(),
        )
        .values(progress={"done": done, "total": total})
    )


def replace(session: Session, dataset_id: str, made: Sequence[Thumbnail]) -> None:
    """Put these in the place of what an earlier check left. The caller has just finished the check."""
    discard(session, dataset_id)
    session.add_all(made)
    session.flush()


def discard(session: Session, dataset_id: str) -> None:
    """Delete a data set's, and collect their objects."""
    garbage.add(session, session.scalars(select(Thumbnail.object_key).where(Thumbnail.dataset_id == dataset_id)).all())
    session.execute(delete(Thumbnail).where(Thumbnail.dataset_id == dataset_id))


def list_all(session: Session, project_id: str, dataset_id: str) -> Sequence[Thumbnail]:
    """A data set's, in order. Raises NotFound."""
    get_dataset(session, project_id, dataset_id)
    return session.scalars(select(Thumbnail).where(Thumbnail.dataset_id == dataset_id).order_by(Thumbnail.number)).all()


def get(session: Session, project_id: str, dataset_id: str, number: int) -> Thumbnail:
    """One of them. Raises NotFound."""
    get_dataset(session, project_id, dataset_id)
    row = session.get(Thumbnail, (dataset_id, number))
    if row is None:
        raise NotFound(f"data set '{dataset_id}' has no thumbnail {number}")
    return row
