"""Data sets written in another format, as archives in the object store."""

from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Json, Now, Time


class Export(Base):
    """queued -> ready or failed; of each format a data set has one that did not fail.

    It is leased as a data set's check is, and shown as running while somebody holds the lease. Once over, it goes at
    `expires_at`, row and archive.
    """

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'ready', 'failed')", name="state"),
        CheckConstraint("state <> 'ready' OR object_key IS NOT NULL", name="ready_has_object"),
        Index("uq_exports_usable", "dataset_id", "format", unique=True, postgresql_where=text("state <> 'failed'")),
        Index(None, "dataset_id"),
        Index(None, "expires_at"),
    )
    WAITS: ClassVar[str] = "queued"
    REFUSED: ClassVar[str] = "failed"

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    format: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    object_key: Mapped[str | None] = mapped_column(unique=True, doc="Of the archive, a zip.")
    size: Mapped[int | None]
    sha256: Mapped[str | None]
    report: Mapped[Json | None] = mapped_column(doc="What was written, and what the format cannot say, counted.")
    error: Mapped[Json | None]
    created_at: Mapped[Now]
    checked_at: Mapped[Time | None] = mapped_column(doc="When it was over.")
    expires_at: Mapped[Time | None]
    checks: Mapped[int] = mapped_column(server_default="0", doc="How often it was begun.")
    check_token: Mapped[str | None]
    check_expires_at: Mapped[Time | None]
    published_at: Mapped[Time | None]
