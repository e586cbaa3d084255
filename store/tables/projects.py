"""Projects own everything; keys and login links give access to one."""

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Now, Time


class Project(Base):
    """The owner of jobs, data sets and keys."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Now]


class ApiKey(Base):
    """A key's HMAC and what it may do; the key itself is shown once and stored nowhere."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "project_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    hint: Mapped[str] = mapped_column(doc="The key's first characters, for people to tell keys apart.")
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Now]
    expires_at: Mapped[Time | None]
    last_used_at: Mapped[Time | None]
    revoked_at: Mapped[Time | None]


class LoginLink(Base):
    """A link that opens the dashboard once."""

    __tablename__ = "login_links"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    created_at: Mapped[Now]
    expires_at: Mapped[Time]
    used: Mapped[bool] = mapped_column(Boolean, server_default="false")


class IdempotencyKey(Base):
    """A request that must not be done twice, and the job or the group it made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("num_nonnulls(job_id, group_id) = 1", name="made_one"),
        Index(None, "expires_at"),
    )

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    group_id: Mapped[str | None] = mapped_column(ForeignKey("job_groups.id", ondelete="CASCADE"))
    created_at: Mapped[Now]
    expires_at: Mapped[Time]
