"""How far the check of a data set is, and small pictures of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB()


def upgrade() -> None:
    """Apply."""
    op.add_column("datasets", sa.Column("progress", JSONB, nullable=True))
    op.create_table(
        "thumbnails",
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("boxes", JSONB, nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_thumbnails_dataset_id_datasets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_id", "number", name="pk_thumbnails"),
        sa.UniqueConstraint("object_key", name="uq_thumbnails_object_key"),
    )


def downgrade() -> None:
    """Take back; the pictures become orphans that the steward collects."""
    op.drop_table("thumbnails")
    op.drop_column("datasets", "progress")
