"""Data sets written in another format."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB()


def _time(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "exports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("report", JSONB, nullable=True),
        sa.Column("error", JSONB, nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        _time("checked_at"),
        _time("expires_at"),
        sa.Column("checks", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("check_token", sa.Text(), nullable=True),
        _time("check_expires_at"),
        _time("published_at"),
        sa.CheckConstraint("state IN ('queued', 'ready', 'failed')", name=op.f("ck_exports_state")),
        sa.CheckConstraint("state <> 'ready' OR object_key IS NOT NULL", name=op.f("ck_exports_ready_has_object")),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_exports_dataset_id_datasets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sa.UniqueConstraint("object_key", name="uq_exports_object_key"),
    )
    op.create_index(
        "uq_exports_usable",
        "exports",
        ["dataset_id", "format"],
        unique=True,
        postgresql_where=sa.text("state <> 'failed'"),
    )
    op.create_index("ix_exports_dataset_id", "exports", ["dataset_id"])
    op.create_index("ix_exports_expires_at", "exports", ["expires_at"])
    _allow("'job', 'dataset', 'model', 'export'")


def downgrade() -> None:
    """Take back; messages about exports are dropped, their archives become orphans that the steward collects."""
    op.execute("DELETE FROM outbox WHERE kind = 'export'")
    _allow("'job', 'dataset', 'model'")
    op.drop_table("exports")


def _allow(kinds: str) -> None:
    """Let messages be of these kinds."""
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox", type_="check")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({kinds})")
