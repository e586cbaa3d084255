"""Queues by class of device: indexes for whose turn it is, the queue of a message, what a worker is good for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("outbox", sa.Column("queue", sa.Text(), nullable=True))
    op.add_column("workers", sa.Column("classes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("workers", sa.Column("devices", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("workers", sa.Column("trouble", sa.Text(), nullable=True))
    op.create_index(
        "ix_jobs_turn",
        "jobs",
        ["queue", "priority", "project_id", "created_at", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_jobs_held",
        "jobs",
        ["project_id"],
        postgresql_where=sa.text("state IN ('running', 'cancelling', 'pausing')"),
    )


def downgrade() -> None:
    """Take back; jobs that wait for a class of devices may then be taken by every worker."""
    op.execute("UPDATE jobs SET queue = 'jobs' WHERE queue LIKE 'jobs.%'")
    op.drop_index("ix_jobs_held", table_name="jobs")
    op.drop_index("ix_jobs_turn", table_name="jobs")
    for table, column in (("workers", "trouble"), ("workers", "devices"), ("workers", "classes"), ("outbox", "queue")):
        op.drop_column(table, column)
