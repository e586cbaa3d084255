"""Models: registered weights, and the jobs that begin with them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB()
TIME = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "models",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detector", sa.Text(), nullable=False),
        sa.Column("classes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("image_size", JSONB, nullable=False),
        sa.Column("anchor_shapes", JSONB, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("checkpoint_id", sa.BigInteger(), nullable=True),
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
        sa.CheckConstraint("state IN ('uploading', 'checking', 'ready', 'rejected')", name=op.f("ck_models_state")),
        sa.CheckConstraint("role IN ('teacher', 'student')", name=op.f("ck_models_role")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_models_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("object_key", name="uq_models_object_key"),
    )
    op.create_index("ix_models_project_id_created_at_id", "models", ["project_id", "created_at", "id"])
    op.create_table(
        "job_models",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_models_job_id_jobs", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_job_models_model_id_models"),
        sa.PrimaryKeyConstraint("job_id", "side", name="pk_job_models"),
    )
    op.create_index("ix_job_models_model_id", "job_models", ["model_id"])
    _allow("'job', 'dataset', 'model'")


def downgrade() -> None:
    """Take back; messages about models are dropped, their objects become orphans that the steward collects."""
    op.execute("DELETE FROM outbox WHERE kind = 'model'")
    _allow("'job', 'dataset'")
    op.drop_table("job_models")
    op.drop_table("models")


def _allow(kinds: str) -> None:
    """Let messages be of these kinds. The first version's constraint has the convention's prefix twice in its name."""
    for name in ("ck_outbox_ck_outbox_kind", "ck_outbox_kind"):
        op.execute(f"ALTER TABLE outbox DROP CONSTRAINT IF EXISTS {name}")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({kinds})")
