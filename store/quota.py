"""How many bytes a project keeps, and may keep: data sets, models, and what uploads promise."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.errors import QuotaExceeded
from store.tables import Dataset, Model, Project, Upload

MIB = 2**20


def in_turn(session: Session, project_id: str) -> None:
    """Until the end of this transaction others of the project that ask the same wait: none sees what is half made."""
    session.execute(select(Project.id).where(Project.id == project_id).with_for_update(key_share=True))


def require(session: Session, project_id: str, more: int, general: int | None) -> None:
    """Let a project keep `more` bytes, in the transaction that makes the row of them. Raises QuotaExceeded.

    general: the limit of a project that has none of its own.
    """
    own = session.scalars(select(Project.max_bytes).where(Project.id == project_id)).one_or_none()
    limit = general if own is None else own
    if limit is None:
        return
    in_turn(session, project_id)
    kept = used(session, project_id)
    if kept + more > limit:
        raise QuotaExceeded(
            f"the project keeps {_mib(kept)} of its {_mib(limit)}, and {_mib(more)} more do not fit",
            hint="Delete data sets or open uploads that are not needed, or ask the operator for a higher limit.",
        )


def used(session: Session, project_id: str) -> int:
    """Bytes of the project's data sets and models, and of the uploads under way, whole."""
    return sum(by_kind(session, project_id).values())


def by_kind(session: Session, project_id: str) -> dict[str, int]:
    """What `used` adds up: datasets, models, uploads."""
    kept = {
        name: select(func.sum(table.size)).where(table.project_id == project_id, table.deleted_at.is_(None))
        for name, table in (("datasets", Dataset), ("models", Model))
    }
    kept["datasets"] = kept["datasets"].where(Dataset.state != "rejected")  # Its archive is not kept.
    promised = select(func.sum(Upload.size)).where(
        Upload.project_id == project_id, Upload.state.in_(("open", "joining"))
    )
    return {name: int(session.scalars(query).one() or 0) for name, query in {**kept, "uploads": promised}.items()}


def _mib(count: int) -> str:
    return f"{count / MIB:.1f} MiB"
