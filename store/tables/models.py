"""Models: a detector's weights in the object store, what is declared of them, and the jobs that begin with them."""

from typing import ClassVar

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from store.states import MODEL_STATES
from store.tables.base import Base, Json, Now, Time


class Model(Base):
    """uploading -> checking -> ready or rejected. A deleted one keeps its row, so that its jobs can say so.

    Classes are in the order of the outputs; `image_size` is (width, height) in pixels, `anchor_shapes` are
    (width, height) at that size, none where the scales are the family's own. The check is leased as a data set's is.
    """

    __tablename__ = "models"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in MODEL_STATES)})", name="state"),
        CheckConstraint("role IN ('teacher', 'student')", name="role"),
        Index(None, "project_id", "created_at", "id"),
    )
    WAITS: ClassVar[str] = "checking"
    REFUSED: ClassVar[str] = "rejected"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    state: Mapped[str]
    detector: Mapped[str]
    classes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    image_size: Mapped[list[int]] = mapped_column(JSONB)
    anchor_shapes: Mapped[list[list[float]]] = mapped_column(JSONB)
    job_id: Mapped[str | None] = mapped_column(doc="Where it was trained, if here; that job may be deleted since.")
    role: Mapped[str | None] = mapped_column(doc="What it was in that job.")
    checkpoint_id: Mapped[int | None] = mapped_column(doc="Where its check takes the weights from, if not the object.")
    object_key: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int | None]
    sha256: Mapped[str | None]
    report: Mapped[Json | None]
    error: Mapped[Json | None]
    created_at: Mapped[Now]
    checked_at: Mapped[Time | None]
    deleted_at: Mapped[Time | None]
    checks: Mapped[int] = mapped_column(server_default="0", doc="How often a check has begun.")
    check_token: Mapped[str | None]
    check_expires_at: Mapped[Time | None]
    published_at: Mapped[Time | None]


class JobModel(Base):
    """A side of a job that begins with a model."""

    __tablename__ = "job_models"
    __table_args__ = (Index(None, "model_id"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[str] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"))
