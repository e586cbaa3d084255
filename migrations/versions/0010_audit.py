"""Who did what, and the sessions of browsers, which can be ended."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")

# What was done stays as it was written, whoever has the database's password in a program of theirs.
_GUARD = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an audit entry is never changed' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def _time(name: str, *, nullable: bool = False, now: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), server_default=_NOW if now else None, nullable=nullable)


def _project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project_id"], ["projects.id"], name=f"fk_{table}_project_id_projects", ondelete="CASCADE"
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        _time("created_at", now=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.CheckConstraint("actor_kind IN ('key', 'user', 'link', 'service')", name="ck_audit_entries_actor_kind"),
        _project("audit_entries"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_project_id_created_at_id", "audit_entries", ["project_id", "created_at", "id"])
    op.create_index("ix_audit_entries_created_at", "audit_entries", ["created_at"])
    op.execute(_GUARD)
    op.create_table(
        "browser_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("user", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        _time("created_at", now=True),
        _time("expires_at"),
        _time("ended_at", nullable=True),
        _project("browser_sessions"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name="fk_browser_sessions_key_id_api_keys", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_browser_sessions"),
    )
    op.create_index("ix_browser_sessions_project_id", "browser_sessions", ["project_id"])
    op.create_index("ix_browser_sessions_expires_at", "browser_sessions", ["expires_at"])
    op.execute("DELETE FROM login_links")  # They are valid for minutes, and do not say what they allow.
    op.add_column("login_links", sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False))
    op.add_column("login_links", sa.Column("user", sa.Text(), nullable=True))
    op.add_column("login_links", sa.Column("key_id", sa.Text(), nullable=True))
    op.create_foreign_key(
        "fk_login_links_key_id_api_keys", "login_links", "api_keys", ["key_id"], ["id"], ondelete="CASCADE"
    )


def downgrade() -> None:
    """Take back; browsers log in anew."""
    op.drop_constraint("fk_login_links_key_id_api_keys", "login_links")
    for name in ("key_id", "user", "scopes"):
        op.drop_column("login_links", name)
    op.drop_table("browser_sessions")
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION refuse_change()")
