"""Projects. One installation starts with one, named `default`; an operator makes more."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store import audit, ids
from store.errors import NameTaken, NotFound
from store.limits import Limits
from store.tables import Project

_COLUMNS = {"jobs": "max_jobs", "bytes": "max_bytes", "device_hours": "max_device_hours"}


def ensure(session: Session, name: str = "default") -> Project:
    """The project of this name, made when it is not there yet."""
    _insert(session, name)
    return session.scalars(select(Project).where(Project.name == name)).one()


def create(session: Session, name: str, limits: Limits) -> Project:
    """Make a project. limits: its own; None is what the installation has for all. Raises NameTaken."""
    if not _insert(session, name):
        raise _taken(name)
    row = session.scalars(select(Project).where(Project.name == name)).one()
    for field, column in _COLUMNS.items():
        setattr(row, column, getattr(limits, field))
    session.flush()
    audit.record(session, row.id, "project.create", row.id, name=name)
    return row


def get(session: Session, project_id: str) -> Project:
    """One project. Raises NotFound."""
    row = session.get(Project, project_id)
    if row is None:
        raise NotFound(f"there is no project '{project_id}'")
    return row


def list_all(session: Session) -> Sequence[Project]:
    """All projects by name."""
    return session.scalars(select(Project).order_by(Project.name)).all()


def update(session: Session, project_id: str, changes: dict[str, Any]) -> Project:
    """Change `name`, or limits by the names of `Limits`. Raises NotFound, NameTaken."""
    row = get(session, project_id)
    name = changes.get("name", row.name)
    if session.scalar(select(Project.id).where(Project.name == name, Project.id != project_id)) is not None:
        raise _taken(name)
    row.name = name
    for field in changes.keys() & _COLUMNS.keys():
        setattr(row, _COLUMNS[field], changes[field])
    session.flush()
    audit.record(session, project_id, "project.update", project_id, **changes)
    return row


def _insert(session: Session, name: str) -> bool:
    query = insert(Project).values(id=ids.new("prj"), name=name).on_conflict_do_nothing(index_elements=["name"])
    return session.scalar(query.returning(Project.id)) is not None


def _taken(name: str) -> NameTaken:
    return NameTaken(f"there is a project '{name}' already", hint="Choose another name.")
