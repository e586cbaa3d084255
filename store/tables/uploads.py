"""Uploads in parts: what was promised, how far it is, what became of it."""

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Now, Time

UPLOAD_STATES = ("open", "joining", "completed", "aborted", "expired")
_UNDER_WAY = "state IN ('open', 'joining')"


class Upload(Base):
    """open -> joining -> completed; open or joining -> aborted or expired; joining -> open when parts are missing.

    The joining is leased: `joining_token` until `joining_expires_at`.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in UPLOAD_STATES)})", name="state"),
        CheckConstraint("state <> 'completed' OR dataset_id IS NOT NULL", name="completed_has_dataset"),
        Index("ix_uploads_under_way", "project_id", postgresql_where=text(_UNDER_WAY)),
        Index("ix_uploads_expiring", "expires_at", postgresql_where=text(_UNDER_WAY)),
        Index("ix_uploads_left", "id", postgresql_where=text("store_token IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(doc="Of the data set that it becomes.")
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(doc="Promised, in bytes; so is sha256, where it is known beforehand.")
    sha256: Mapped[str | None]
    part_size: Mapped[int] = mapped_column(doc="Of every part but the last.")
    state: Mapped[str] = mapped_column(server_default="open")
    object_key: Mapped[str] = mapped_column(unique=True)
    store_token: Mapped[str | None] = mapped_column(doc="Of its parts in the object store, until they are gone.")
    joining_token: Mapped[str | None]
    joining_expires_at: Mapped[Time | None]
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    deduplicated: Mapped[bool] = mapped_column(Boolean, server_default="false", doc="The data set was there before.")
    created_at: Mapped[Now]
    expires_at: Mapped[Time]
    ended_at: Mapped[Time | None]

    @property
    def parts(self) -> int:
        """How many parts it has."""
        return -(-self.size // self.part_size)

    def size_of(self, number: int) -> int:
        """Bytes of part `number`, from 1."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)
