"""Failed and cancelled jobs may be queued again, when their user asks for it."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEFORE = """
    ('queued', 'running'), ('queued', 'paused'), ('queued', 'cancelled'),
    ('running', 'succeeded'), ('running', 'failed'), ('running', 'queued'),
    ('running', 'cancelling'), ('running', 'pausing'),
    ('pausing', 'succeeded'), ('pausing', 'failed'), ('pausing', 'paused'), ('pausing', 'cancelling'),
    ('cancelling', 'cancelled'),
    ('paused', 'queued'), ('paused', 'cancelled')
"""
AFTER = f"{BEFORE}, ('failed', 'queued'), ('cancelled', 'queued')"

GUARD = """
    CREATE OR REPLACE FUNCTION guard_job() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({moves}) THEN
            RAISE EXCEPTION 'a job must not move from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        NEW.version := OLD.version + 1;
        NEW.updated_at := clock_timestamp();
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(GUARD.format(moves=AFTER))


def downgrade() -> None:
    """Take back; jobs that were retried meanwhile stay as they are."""
    op.execute(GUARD.format(moves=BEFORE))
