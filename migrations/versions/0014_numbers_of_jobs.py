"""Numbers of jobs by state, kept by a trigger; an index for jobs that nobody was told of lately."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COUNT = """
    CREATE FUNCTION count_job() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND (OLD.project_id, OLD.state) = (NEW.project_id, NEW.state) THEN
            RETURN NULL;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            INSERT INTO job_counts (project_id, state, jobs) VALUES (OLD.project_id, OLD.state, -1);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO job_counts (project_id, state, jobs) VALUES (NEW.project_id, NEW.state, 1);
        END IF;
        RETURN NULL;
    END
    $$
"""
# `UPDATE OF`: heartbeats and progress, which leave the state alone, do not even call it.
_TRIGGER = """
    CREATE TRIGGER count_job AFTER INSERT OR DELETE OR UPDATE OF state, project_id ON jobs
    FOR EACH ROW EXECUTE FUNCTION count_job()
"""


def upgrade() -> None:
    """Apply. The trigger first: it locks out writers, so that what is counted then misses nobody."""
    op.create_table(
        "job_counts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_counts"),
    )
    op.create_index("ix_job_counts_project_id_state", "job_counts", ["project_id", "state"])
    op.execute(_COUNT)
    op.execute(_TRIGGER)
    op.execute("""
        INSERT INTO job_counts (project_id, state, jobs)
        SELECT project_id, state, count(*) FROM jobs GROUP BY project_id, state
    """)
    op.create_index(
        "ix_jobs_unheard",
        "jobs",
        ["queue", sa.text("GREATEST(published_at, available_at)")],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index("ix_jobs_queued", table_name="jobs")


def downgrade() -> None:
    """Take back."""
    op.create_index("ix_jobs_queued", "jobs", ["queue", "available_at"], postgresql_where=sa.text("state = 'queued'"))
    op.drop_index("ix_jobs_unheard", table_name="jobs")
    op.execute("DROP TRIGGER count_job ON jobs")
    op.drop_table("job_counts")
    op.execute("DROP FUNCTION count_job()")
