"""Limits of projects."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LIMITS: dict[str, sa.types.TypeEngine[Any]] = {
    "max_jobs": sa.BigInteger(),
    "max_bytes": sa.BigInteger(),
    "max_device_hours": sa.Double(),
}


def upgrade() -> None:
    """Apply."""
    for name, kind in _LIMITS.items():
        op.add_column("projects", sa.Column(name, kind, nullable=True))
        op.create_check_constraint(op.f(f"ck_projects_{name}"), "projects", f"{name} >= 0")
    # Device hours of a month are those of the attempts that ended in it or run still.
    op.create_index("ix_attempts_ended", "attempts", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL"))


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_attempts_ended", "attempts")
    for name in _LIMITS:
        op.drop_constraint(op.f(f"ck_projects_{name}"), "projects")
        op.drop_column("projects", name)
