"""Data sets: an archive in the object store and what the check found in it."""

from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.states import DATASET_STATES
from store.tables.base import Base, Json, Now, Time


class Dataset(Base):
    """uploading -> checking -> ready or rejected. A deleted one keeps its row, so that its jobs can say so.

    The check is leased like an attempt: `check_token` until `check_expires_at`.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in DATASET_STATES)})", name="state"),
        Index(None, "project_id", "created_at", "id"),
    )
    WAITS: ClassVar[str] = "checking"
    REFUSED: ClassVar[str] = "rejected"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    state: Mapped[str]
    object_key: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int | None]
    sha256: Mapped[str | None]
    progress: Mapped[Json | None] = mapped_column(doc="Of the check: {done, total} images.")
    report: Mapped[Json | None]
    error: Mapped[Json | None]
    created_at: Mapped[Now]
    checked_at: Mapped[Time | None]
    deleted_at: Mapped[Time | None]
    checks: Mapped[int] = mapped_column(server_default="0", doc="How often a check has begun.")
    check_token: Mapped[str | None]
    check_expires_at: Mapped[Time | None]
    published_at: Mapped[Time | None]


class Thumbnail(Base):
    """A small picture of one image of a data set. boxes: {label, box}, xyxy in the picture's pixels."""

    __tablename__ = "thumbnails"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    image: Mapped[str]
    split: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    boxes: Mapped[list[Json]]
    object_key: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int]
    sha256: Mapped[str]
