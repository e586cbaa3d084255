"""Jobs that only measure."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("jobs", sa.Column("kind", sa.Text(), server_default="distillation", nullable=False))
    op.create_check_constraint(op.f("ck_jobs_kind"), "jobs", "kind IN ('distillation', 'evaluation')")
    op.create_index(
        "ix_jobs_evaluations",
        "jobs",
        ["project_id", "created_at", "id"],
        postgresql_where=sa.text("kind = 'evaluation'"),
    )


def downgrade() -> None:
    """Take back; the version before cannot read the specs of evaluations, so these are deleted."""
    op.execute("DELETE FROM jobs WHERE kind = 'evaluation'")
    op.drop_index("ix_jobs_evaluations", "jobs")
    op.drop_constraint(op.f("ck_jobs_kind"), "jobs")
    op.drop_column("jobs", "kind")
