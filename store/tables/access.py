"""Sessions of browsers, and the book of who did what."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Json, Now, Time


class BrowserSession(Base):
    """A browser that was let in: by a link that a key made (it ends with the key), by the operator's, or by OIDC."""

    __tablename__ = "browser_sessions"
    __table_args__ = (Index(None, "project_id"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    user: Mapped[str | None] = mapped_column(doc="As the login provider names them.")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    address: Mapped[str | None]
    created_at: Mapped[Now]
    expires_at: Mapped[Time]
    ended_at: Mapped[Time | None]


class AuditEntry(Base):
    """One act: who, what, on which resource, when, from where. A trigger refuses changes; old ones are dropped.

    actor_kind: key (actor_id is its id), user (as the login provider names them), link (a browser that the operator
    let in; the session's id), service (the service's own programs).
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        CheckConstraint("actor_kind IN ('key', 'user', 'link', 'service')", name="actor_kind"),
        Index(None, "project_id", "created_at", "id"),
        Index(None, "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    created_at: Mapped[Now]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    action: Mapped[str]
    resource_id: Mapped[str | None]
    detail: Mapped[Json] = mapped_column(server_default="{}")
    address: Mapped[str | None]
    request_id: Mapped[str | None]
