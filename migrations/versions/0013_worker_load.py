"""How busy a worker's machine is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; workers that run fill it in with their next sign of life."""
    op.add_column("workers", sa.Column("load", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Revert."""
    op.drop_column("workers", "load")
