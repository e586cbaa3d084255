"""Web hooks: where a project wants to be told what happens, and each message to it."""

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, Json, Now, Time


class Webhook(Base):
    """Where messages go. Its secret is nowhere: it follows from the service's own, the id and `secret_version`.

    former_until: so long the version before signs, too. failing_since: the first failure after the last success.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "project_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_version: Mapped[int] = mapped_column(server_default="1")
    former_until: Mapped[Time | None]
    failing_since: Mapped[Time | None]
    disabled_at: Mapped[Time | None]
    disabled_reason: Mapped[str | None]
    created_at: Mapped[Now]


class WebhookDelivery(Base):
    """One message: written with what it tells of, sent until it is taken or `give_up_at` has come.

    due_at: of the next try; while one is under way, when it counts as lost. The id goes with every try.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        Index(None, "webhook_id", "created_at", "id"),
        Index("ix_webhook_deliveries_due", "webhook_id", "due_at", postgresql_where=text("state = 'pending'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event: Mapped[str]
    data: Mapped[Json]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[Now]
    give_up_at: Mapped[Time]
    response_status: Mapped[int | None]
    error: Mapped[str | None]
    milliseconds: Mapped[int | None]
    attempted_at: Mapped[Time | None]
    created_at: Mapped[Now]
