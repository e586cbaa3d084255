"""Attempts at a job and what they publish: metrics, checkpoints, artifacts."""

from sqlalchemy import Boolean, Double, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Json, Now, Time


def _of_attempt() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["job_id", "attempt"], ["attempts.job_id", "attempts.number"], ondelete="CASCADE")


class Attempt(Base):
    """One worker's try at a job, holding the job while its lease lasts. The index lets a job have one live attempt."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("uq_attempts_live", "job_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_attempts_lease", "lease_expires_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_attempts_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lease_token: Mapped[str]
    lease_expires_at: Mapped[Time]
    worker_id: Mapped[str]
    device: Mapped[str | None]
    last_stage: Mapped[str | None]
    last_step: Mapped[int | None]
    micro_batch: Mapped[int | None] = mapped_column(doc="Images at once it was told, None when it chose.")
    resumed_from: Mapped[list[Json] | None]
    reports: Mapped[int] = mapped_column(server_default="0", doc="Number of the last report written.")
    started_at: Mapped[Now]
    heartbeat_at: Mapped[Now]
    ended_at: Mapped[Time | None]
    outcome: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(doc="Why it ended, in a word, such as hung, died, lease_expired.")
    exit_code: Mapped[int | None] = mapped_column(doc="Of its child; negative for a signal.")
    message: Mapped[str | None]
    log_tail: Mapped[str | None] = mapped_column(doc="The last output of the child, for whoever runs the service.")


class Metric(Base):
    """One value of one step. After a resume the same step may come from several attempts; the newest counts."""

    __tablename__ = "metrics"
    __table_args__ = (_of_attempt(),)

    job_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[float] = mapped_column(Double)
    value: Mapped[float] = mapped_column(Double, doc="NaN and infinity are kept: a diverged loss is a fact.")
    time: Mapped[Now]


class Checkpoint(Base):
    """A published checkpoint: the row is the publication. `path` is relative to the run's output folder."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        _of_attempt(),
        UniqueConstraint("object_key"),
        Index(None, "job_id", "stage", "seed", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    attempt: Mapped[int]
    stage: Mapped[str]
    seed: Mapped[int]
    step: Mapped[int]
    final: Mapped[bool] = mapped_column(Boolean)
    path: Mapped[str]
    object_key: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    created_at: Mapped[Now]
    damaged_at: Mapped[Time | None]


class Artifact(Base):
    """A file for the user. `facts`: what was measured on that very file."""

    __tablename__ = "artifacts"
    __table_args__ = (
        _of_attempt(),
        UniqueConstraint("job_id", "attempt", "name"),
        UniqueConstraint("object_key"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    attempt: Mapped[int]
    name: Mapped[str]
    format: Mapped[str]
    path: Mapped[str]
    object_key: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    facts: Mapped[Json]
    created_at: Mapped[Now]
