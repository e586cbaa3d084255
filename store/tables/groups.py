"""Groups: jobs that were made together, to be compared."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Json, Now


class Group(Base):
    """One comparison: a base spec, and what each of its jobs (its arms) has differently."""

    __tablename__ = "job_groups"
    __table_args__ = (Index(None, "project_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    base: Mapped[Json]
    variants: Mapped[list[Json]] = mapped_column(doc="In order: {label, changes}, a merge patch of the base.")
    created_at: Mapped[Now]
