"""Why an attempt ended, in a word and a number; the micro-batch of jobs that did not fit into memory."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("attempts", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("attempts", sa.Column("exit_code", sa.BigInteger(), nullable=True))
    op.add_column("attempts", sa.Column("micro_batch", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("memory_retries", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("micro_batch", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take back."""
    for table, column in (
        ("jobs", "micro_batch"),
        ("jobs", "memory_retries"),
        ("attempts", "micro_batch"),
        ("attempts", "exit_code"),
        ("attempts", "reason"),
    ):
        op.drop_column(table, column)
