"""Groups of jobs, and indexes for what jobs are looked for by: detectors, method, metadata."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB()
LISTS = {
    "ix_jobs_teacher": "(spec #>> '{teacher,detector}'::text[])",
    "ix_jobs_student": "(spec #>> '{student,detector}'::text[])",
    "ix_jobs_method": "(spec #>> '{method,name}'::text[])",
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "job_groups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base", JSONB, nullable=False),
        sa.Column("variants", JSONB, nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_job_groups_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_job_groups"),
    )
    op.create_index("ix_job_groups_project_id_created_at_id", "job_groups", ["project_id", "created_at", "id"])
    op.add_column("jobs", sa.Column("group_id", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("arm", sa.Text(), nullable=True))
    op.create_foreign_key(
        "fk_jobs_group_id_job_groups", "jobs", "job_groups", ["group_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index("ix_jobs_group_id", "jobs", ["group_id"], postgresql_where=sa.text("group_id IS NOT NULL"))
    for name, expression in LISTS.items():
        op.create_index(name, "jobs", ["project_id", sa.text(expression), "created_at", "id"])
    op.create_index(
        "ix_jobs_metadata", "jobs", ["metadata"], postgresql_using="gin", postgresql_ops={"metadata": "jsonb_path_ops"}
    )
    op.alter_column("idempotency_keys", "job_id", nullable=True)
    op.add_column("idempotency_keys", sa.Column("group_id", sa.Text(), nullable=True))
    op.create_foreign_key(
        "fk_idempotency_keys_group_id_job_groups",
        "idempotency_keys",
        "job_groups",
        ["group_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_check_constraint(
        op.f("ck_idempotency_keys_made_one"), "idempotency_keys", "num_nonnulls(job_id, group_id) = 1"
    )


def downgrade() -> None:
    """Take back; jobs of groups stay as jobs of their own, and keys that stood for groups are forgotten."""
    op.execute("DELETE FROM idempotency_keys WHERE job_id IS NULL")
    op.drop_constraint(op.f("ck_idempotency_keys_made_one"), "idempotency_keys")
    op.drop_column("idempotency_keys", "group_id")
    op.alter_column("idempotency_keys", "job_id", nullable=False)
    for name in ("ix_jobs_metadata", *LISTS, "ix_jobs_group_id"):
        op.drop_index(name, "jobs")
    op.drop_column("jobs", "arm")
    op.drop_column("jobs", "group_id")
    op.drop_table("job_groups")
