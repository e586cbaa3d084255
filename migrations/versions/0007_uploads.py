"""Uploads in parts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UNDER_WAY = sa.text("state IN ('open', 'joining')")


def _time(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("part_size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("store_token", sa.Text(), nullable=True),
        sa.Column("joining_token", sa.Text(), nullable=True),
        _time("joining_expires_at"),
        sa.Column("dataset_id", sa.Text(), nullable=True),
        sa.Column("deduplicated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        _time("expires_at", nullable=False),
        _time("ended_at"),
        sa.CheckConstraint("state IN ('open', 'joining', 'completed', 'aborted', 'expired')", name="ck_uploads_state"),
        sa.CheckConstraint("state <> 'completed' OR dataset_id IS NOT NULL", name="ck_uploads_completed_has_dataset"),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_uploads_dataset_id_datasets", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_uploads_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.UniqueConstraint("object_key", name="uq_uploads_object_key"),
    )
    op.create_index("ix_uploads_under_way", "uploads", ["project_id"], postgresql_where=_UNDER_WAY)
    op.create_index("ix_uploads_expiring", "uploads", ["expires_at"], postgresql_where=_UNDER_WAY)
    op.create_index("ix_uploads_left", "uploads", ["id"], postgresql_where=sa.text("store_token IS NOT NULL"))


def downgrade() -> None:
    """Take back; uploads that are not complete begin anew."""
    op.drop_table("uploads")
