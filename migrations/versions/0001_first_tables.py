"""The first tables, and the trigger that guards the states of jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB()
TIME = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")

# A snapshot of the moves at this revision; a test holds it against the table in the code, pair by pair.
GUARD = """
    CREATE FUNCTION guard_job() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('queued', 'running'), ('queued', 'paused'), ('queued', 'cancelled'),
            ('running', 'succeeded'), ('running', 'failed'), ('running', 'queued'),
            ('running', 'cancelling'), ('running', 'pausing'),
            ('pausing', 'succeeded'), ('pausing', 'failed'), ('pausing', 'paused'), ('pausing', 'cancelling'),
            ('cancelling', 'cancelled'),
            ('paused', 'queued'), ('paused', 'cancelled')
        ) THEN
            RAISE EXCEPTION 'a job must not move from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        NEW.version := OLD.version + 1;
        NEW.updated_at := clock_timestamp();
        RETURN NEW;
    END $$
"""


def _owned(columns: list[str], owner: list[str]) -> sa.ForeignKeyConstraint:
    """A row that goes with its owner; named by the metadata's naming convention."""
    return sa.ForeignKeyConstraint(columns, owner, ondelete="CASCADE")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "garbage",
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("object_key", name="pk_garbage"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("available_at", TIME, server_default=NOW, nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("published_at", TIME, nullable=True),
        sa.CheckConstraint("kind IN ('job', 'dataset')", name="ck_outbox_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["available_at"], postgresql_where=sa.text("published_at IS NULL"))
    op.create_table(
        "projects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("queues", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("started_at", TIME, server_default=NOW, nullable=False),
        sa.Column("seen_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        _owned(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_index("ix_api_keys_project_id", "api_keys", ["project_id"])
    op.create_table(
        "datasets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("report", JSONB, nullable=True),
        sa.Column("error", JSONB, nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("checked_at", TIME, nullable=True),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.Column("checks", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("check_token", sa.Text(), nullable=True),
        sa.Column("check_expires_at", TIME, nullable=True),
        sa.Column("published_at", TIME, nullable=True),
        sa.CheckConstraint("state IN ('uploading', 'checking', 'ready', 'rejected')", name="ck_datasets_state"),
        _owned(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("object_key", name="uq_datasets_object_key"),
    )
    op.create_index("ix_datasets_project_id_created_at_id", "datasets", ["project_id", "created_at", "id"])
    op.create_table(
        "login_links",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used", sa.Boolean(), server_default="false", nullable=False),
        _owned(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("digest", name="pk_login_links"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", JSONB, nullable=False),
        sa.Column("resolved", JSONB, nullable=True),
        sa.Column("metadata", JSONB, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("progress", JSONB, nullable=True),
        sa.Column("result", JSONB, nullable=True),
        sa.Column("error", JSONB, nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("queue", sa.Text(), server_default="jobs", nullable=False),
        sa.Column("priority", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("available_at", TIME, server_default=NOW, nullable=False),
        sa.Column("published_at", TIME, nullable=True),
        sa.Column("current_attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("losses", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("losses_without_checkpoint", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cancel_requested_at", TIME, nullable=True),
        sa.Column("pause_requested_at", TIME, nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("updated_at", TIME, server_default=NOW, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'failed', 'succeeded')) = (finished_at IS NOT NULL)", name="ck_jobs_finished"
        ),
        sa.CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="ck_jobs_failed_has_error"),
        sa.CheckConstraint("state <> 'succeeded' OR result IS NOT NULL", name="ck_jobs_succeeded_has_result"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'cancelling', 'pausing', 'paused', 'succeeded', 'failed', 'cancelled')",
            name="ck_jobs_state",
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_jobs_dataset_id_datasets"),
        _owned(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_dataset_id", "jobs", ["dataset_id"])
    op.create_index("ix_jobs_project_id_created_at_id", "jobs", ["project_id", "created_at", "id"])
    op.create_index("ix_jobs_queued", "jobs", ["queue", "available_at"], postgresql_where=sa.text("state = 'queued'"))
    op.create_table(
        "attempts",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_token", sa.Text(), nullable=False),
        sa.Column("lease_expires_at", TIME, nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("last_stage", sa.Text(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("resumed_from", JSONB, nullable=True),
        sa.Column("reports", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", TIME, server_default=NOW, nullable=False),
        sa.Column("heartbeat_at", TIME, server_default=NOW, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("log_tail", sa.Text(), nullable=True),
        _owned(["job_id"], ["jobs.id"]),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_attempts"),
    )
    op.create_index("ix_attempts_lease", "attempts", ["lease_expires_at"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_index(
        "uq_attempts_live", "attempts", ["job_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        _owned(["job_id"], ["jobs.id"]),
        _owned(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("project_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
    op.create_table(
        "job_events",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("time", TIME, server_default=NOW, nullable=False),
        _owned(["job_id"], ["jobs.id"]),
        sa.PrimaryKeyConstraint("job_id", "sequence", name="pk_job_events"),
    )
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        _owned(["job_id", "attempt"], ["attempts.job_id", "attempts.number"]),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
        sa.UniqueConstraint("job_id", "attempt", "name", name="uq_artifacts_job_id_attempt_name"),
        sa.UniqueConstraint("object_key", name="uq_artifacts_object_key"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("damaged_at", TIME, nullable=True),
        _owned(["job_id", "attempt"], ["attempts.job_id", "attempts.number"]),
        sa.PrimaryKeyConstraint("id", name="pk_checkpoints"),
        sa.UniqueConstraint("object_key", name="uq_checkpoints_object_key"),
    )
    op.create_index("ix_checkpoints_job_id_stage_seed_id", "checkpoints", ["job_id", "stage", "seed", "id"])
    op.create_table(
        "metrics",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Double(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("time", TIME, server_default=NOW, nullable=False),
        _owned(["job_id", "attempt"], ["attempts.job_id", "attempts.number"]),
        sa.PrimaryKeyConstraint("job_id", "stage", "seed", "name", "step", "attempt", name="pk_metrics"),
    )
    op.execute(GUARD)
    op.execute("CREATE TRIGGER guard_job BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION guard_job()")


def downgrade() -> None:
    """Take back."""
    newest_first = (
        "metrics checkpoints artifacts job_events idempotency_keys attempts jobs "
        "login_links datasets api_keys workers projects outbox garbage"
    )
    for table in newest_first.split():
        op.drop_table(table)
    op.execute("DROP FUNCTION guard_job()")
