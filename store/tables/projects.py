"""Projects own everything; keys and login links give access to one."""

from sqlalchemy import Boolean, CheckConstraint, Double, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Now, Time


class Project(Base):
    """The owner of jobs, data sets and keys. Limits: None is what the installation has for all (`store/limits.py`)."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("max_jobs >= 0", name="max_jobs"),
        CheckConstraint("max_bytes >= 0", name="max_bytes"),
        CheckConstraint("max_device_hours >= 0", name="max_device_hours"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Now]
    max_jobs: Mapped[int | None] = mapped_column(doc="That are not over.")
    max_bytes: Mapped[int | None]
    max_device_hours: Mapped[float | None] = mapped_column(Double, doc="In a calendar month.")


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
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), doc="Those of whoever made it.")
    user: Mapped[str | None]
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
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
