"""Jobs and their history of events."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.states import HELD, JOB_STATES, TERMINAL
from store.tables.base import Base, Json, Now, Time

_STATES = ", ".join(repr(state) for state in JOB_STATES)
_HELD = ", ".join(repr(state) for state in JOB_STATES if state in HELD)
_TERMINAL = ", ".join(repr(state) for state in sorted(TERMINAL))


# Written out, for only an index on the very same expression is of use.
TEACHER = "(spec #>> '{teacher,detector}'::text[])"
STUDENT = "(spec #>> '{student,detector}'::text[])"
METHOD = "(spec #>> '{method,name}'::text[])"


class Job(Base):
    """One distillation job. A trigger refuses illegal moves of `state`, counts `version` and stamps `updated_at`.

    progress: the latest `Progress` event. error: {code, message, hint}. losses: infrastructure losses so far.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(f"(state IN ({_TERMINAL})) = (finished_at IS NOT NULL)", name="finished"),
        CheckConstraint("kind IN ('distillation', 'evaluation')", name="kind"),
        CheckConstraint("state <> 'succeeded' OR result IS NOT NULL", name="succeeded_has_result"),
        CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="failed_has_error"),
        Index(None, "project_id", "created_at", "id"),
        # GREATEST passes over nulls: of a job that was never announced it is the moment it became due.
        Index(
            "ix_jobs_unheard",
            "queue",
            text("GREATEST(published_at, available_at)"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_jobs_turn",
            "queue",
            "priority",
            "project_id",
            "created_at",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_jobs_held", "project_id", postgresql_where=text(f"state IN ({_HELD})")),
        Index(None, "project_id", "state", "created_at", "id"),
        Index(None, "dataset_id", "state", "created_at", "id"),
        Index("ix_jobs_evaluations", "project_id", "created_at", "id", postgresql_where=text("kind = 'evaluation'")),
        Index("ix_jobs_teacher", "project_id", text(TEACHER), "created_at", "id"),
        Index("ix_jobs_student", "project_id", text(STUDENT), "created_at", "id"),
        Index("ix_jobs_method", "project_id", text(METHOD), "created_at", "id"),
        Index("ix_jobs_metadata", "metadata", postgresql_using="gin", postgresql_ops={"metadata": "jsonb_path_ops"}),
        Index("ix_jobs_group_id", "group_id", postgresql_where=text("group_id IS NOT NULL")),
        Index("ix_jobs_name", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    group_id: Mapped[str | None] = mapped_column(ForeignKey("job_groups.id", ondelete="SET NULL"))
    arm: Mapped[str | None] = mapped_column(doc="Its label in the group.")
    kind: Mapped[str] = mapped_column(server_default="distillation", doc="evaluation: trains nothing, only measures.")
    name: Mapped[str]
    spec: Mapped[Json]
    resolved: Mapped[Json | None]
    meta: Mapped[Json] = mapped_column("metadata")

    state: Mapped[str]
    stage: Mapped[str | None]
    progress: Mapped[Json | None]
    result: Mapped[Json | None]
    error: Mapped[Json | None]
    version: Mapped[int] = mapped_column(server_default="1")
    last_sequence: Mapped[int] = mapped_column(server_default="0", doc="Of this job's events, without gaps.")

    queue: Mapped[str] = mapped_column(server_default="jobs", doc="See `store/queues.py`.")
    priority: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[Now]
    published_at: Mapped[Time | None]
    current_attempt: Mapped[int] = mapped_column(server_default="0")
    losses: Mapped[int] = mapped_column(server_default="0")
    losses_without_checkpoint: Mapped[int] = mapped_column(server_default="0")
    memory_retries: Mapped[int] = mapped_column(server_default="0")
    micro_batch: Mapped[int | None] = mapped_column(doc="Images at once, since more did not fit into memory.")
    cancel_requested_at: Mapped[Time | None]
    pause_requested_at: Mapped[Time | None]

    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    started_at: Mapped[Time | None]
    finished_at: Mapped[Time | None]


class JobEvent(Base):
    """One thing that happened to a job; sequences rise from 1 without gaps.

    kind: `state` (data: from, to, message), `stage_started`, `stage_finished`, `checkpoint`, `artifact`, `log`.
    """

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    attempt: Mapped[int]
    kind: Mapped[str]
    data: Mapped[Json]
    time: Mapped[Now]


class JobCount(Base):
    """A change of how many jobs of a project are in a state; the sum over a state's rows is their number.

    A trigger on `jobs` adds the rows, in the transaction of the change. They are added and never updated, so that two
    moves at once do not wait for each other; the steward sums them up (`housekeeping.sum_counts`). Project without a
    key: of one that is being deleted with its jobs, rows may come last, and they sum up to nothing.
    """

    __tablename__ = "job_counts"
    __table_args__ = (Index(None, "project_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[str]
    state: Mapped[str]
    jobs: Mapped[int]
