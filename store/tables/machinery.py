"""What keeps the service going: workers, the outbox, objects to be collected."""

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Json, Now, Time


class Worker(Base):
    """A worker process that was seen."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    hostname: Mapped[str]
    pid: Mapped[int]
    queues: Mapped[list[str]] = mapped_column(ARRAY(Text))
    classes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", doc="Of devices: what it is good for.")
    devices: Mapped[list[Json]] = mapped_column(server_default="[]", doc="What was found on its machine.")
    device: Mapped[str | None] = mapped_column(doc="What its last run computed on.")
    trouble: Mapped[str | None] = mapped_column(doc="Why it takes nothing now.")
    load: Mapped[Json | None] = mapped_column(doc="How busy its machine is: see `worker/load.py`.")
    job_id: Mapped[str | None] = mapped_column(doc="What it works on; None when it waits.")
    started_at: Mapped[Now]
    seen_at: Mapped[Now]


class Outbox(Base):
    """A message that must go out because of a committed change; the steward publishes it and marks it."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("kind IN ('job', 'dataset', 'model', 'export')", name="kind"),
        Index("ix_outbox_waiting", "available_at", postgresql_where=text("published_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[str]
    queue: Mapped[str | None] = mapped_column(doc="None: the kind's own.")
    available_at: Mapped[Now]
    created_at: Mapped[Now]
    published_at: Mapped[Time | None]


class Garbage(Base):
    """An object that no row needs any more; the steward deletes it from `due_at` on."""

    __tablename__ = "garbage"

    object_key: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[Now]
