"""Projects. One installation starts with one, named `default`."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store import ids
from store.tables import Project


def ensure(session: Session, name: str = "default") -> Project:
    """The project of this name, made when it is not there yet."""
    session.execute(
        insert(Project).values(id=ids.new("prj"), name=name).on_conflict_do_nothing(index_elements=["name"])
    )
    return session.scalars(select(Project).where(Project.name == name)).one()


def list_all(session: Session) -> Sequence[Project]:
    """All projects by name."""
    return session.scalars(select(Project).order_by(Project.name)).all()
