"""Web hooks as users see them: make, list, change, delete, rotate the secret, try, and what became of each message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store import audit, ids, quota
from store.errors import NotFound, TooManyWebhooks
from store.pages import Page, page
from store.tables import Webhook, WebhookDelivery
from store.webhook_events import KEEP_TRYING, TEST, Event, add

MOST = 20


@dataclass(frozen=True)
class Changes:
    """What is to be different; None stays."""

    url: str | None = None
    events: Sequence[Event] | None = None
    enabled: bool | None = None


def create(session: Session, project_id: str, url: str, events: Sequence[Event]) -> Webhook:
    """Make one. Raises TooManyWebhooks."""
    quota.in_turn(session, project_id)
    there = session.scalar(select(func.count()).select_from(Webhook).where(Webhook.project_id == project_id)) or 0
    if there >= MOST:
        raise TooManyWebhooks(f"the project has {there} webhooks", hint="Delete one that is not needed.")
    row = Webhook(id=ids.new("whk"), project_id=project_id, url=url, events=sorted(set(events)))
    session.add(row)
    session.flush()
    session.refresh(row)
    audit.record(session, project_id, "webhook.create", row.id, url=url, events=row.events)
    return row


def get(session: Session, project_id: str, webhook_id: str) -> Webhook:
    """One. Raises NotFound."""
    row = session.scalar(select(Webhook).where(Webhook.id == webhook_id, Webhook.project_id == project_id))
    if row is None:
        raise NotFound(f"there is no webhook '{webhook_id}'")
    return row


def list_all(session: Session, project_id: str) -> Sequence[Webhook]:
    """The project's, newest first."""
    query = select(Webhook).where(Webhook.project_id == project_id)
    return session.scalars(query.order_by(Webhook.created_at.desc(), Webhook.id)).all()


def change(session: Session, project_id: str, webhook_id: str, changes: Changes) -> Webhook:
    """Change one; enabling it forgets that it failed. Raises NotFound."""
    row = get(session, project_id, webhook_id)
    if changes.url is not None:
        row.url = changes.url
    if changes.events is not None:
        row.events = sorted(set(changes.events))
    if changes.enabled is True:
        row.disabled_at = row.disabled_reason = row.failing_since = None
    elif changes.enabled is False and row.disabled_at is None:
        row.disabled_at, row.disabled_reason = func.clock_timestamp(), "Disabled by hand."
    session.flush()
    session.refresh(row)
    audit.record(session, project_id, "webhook.change", row.id, url=row.url, enabled=row.disabled_at is None)
    return row


def rotate(session: Session, project_id: str, webhook_id: str, overlap: timedelta) -> Webhook:
    """Give it a new secret; for `overlap` messages are signed with the former one, too. Raises NotFound."""
    row = get(session, project_id, webhook_id)
    row.secret_version += 1
    row.former_until = func.clock_timestamp() + overlap
    session.flush()
    session.refresh(row)
    audit.record(session, project_id, "webhook.rotate", row.id)
    return row


def delete(session: Session, project_id: str, webhook_id: str) -> None:
    """Delete one with its messages. Raises NotFound."""
    session.delete(get(session, project_id, webhook_id))
    session.flush()
    audit.record(session, project_id, "webhook.delete", webhook_id)


def try_out(session: Session, project_id: str, webhook_id: str) -> WebhookDelivery:
    """Write down a message that says nothing, for whoever sets up a receiver. Raises NotFound."""
    row = add(session, get(session, project_id, webhook_id).id, TEST, {"message": "It works."})
    session.refresh(row)
    audit.record(session, project_id, "webhook.test", webhook_id)
    return row


def list_deliveries(
    session: Session, project_id: str, webhook_id: str, *, cursor: str | None = None, limit: int = 20
) -> Page[WebhookDelivery]:
    """Its messages, newest first. Raises NotFound, BadCursor."""
    get(session, project_id, webhook_id)
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    return page(session, query, WebhookDelivery, cursor=cursor, limit=limit)


def redeliver(session: Session, project_id: str, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """Send a message again, under its own id: whoever took it knows it. Raises NotFound."""
    get(session, project_id, webhook_id)
    query = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id)
    row = session.scalar(query.with_for_update())
    if row is None:
        raise NotFound(f"webhook '{webhook_id}' has no delivery '{delivery_id}'")
    row.state = "pending"
    row.due_at = func.clock_timestamp()
    row.give_up_at = func.clock_timestamp() + KEEP_TRYING
    session.flush()
    session.refresh(row)
    audit.record(session, project_id, "webhook.redeliver", webhook_id, delivery=delivery_id)
    return row
