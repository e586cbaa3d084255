"""Indexes for lists of jobs: of each state newest first, of each data set and state, and text within names."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The extension comes with every PostgreSQL; whoever may create tables in a database may switch it on."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for owner in ("project_id", "dataset_id"):
        op.create_index(f"ix_jobs_{owner}_state_created_at_id", "jobs", [owner, "state", "created_at", "id"])
    op.create_index("ix_jobs_name", "jobs", ["name"], postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"})
    op.drop_index("ix_jobs_dataset_id", table_name="jobs")


def downgrade() -> None:
    """Take back. The extension stays: it may have been there before, and others may use it."""
    op.create_index("ix_jobs_dataset_id", "jobs", ["dataset_id"])
    op.drop_index("ix_jobs_name", table_name="jobs")
    for owner in ("dataset_id", "project_id"):
        op.drop_index(f"ix_jobs_{owner}_state_created_at_id", table_name="jobs")
