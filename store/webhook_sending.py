"""Messages that are due, for whoever sends them: taken for a while, then marked with what came of it.

A message that is taken comes again when nobody has marked it: it is sent at least once, always under the same id.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from store.database import now
from store.tables import Webhook, WebhookDelivery

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
DISABLED_AFTER = timedelta(hours=72)
GONE = 410


@dataclass(frozen=True)
class Due:
    """One try of a message. versions: of the secret; each signs."""

    id: str
    webhook_id: str
    url: str
    body: bytes
    versions: Sequence[int]
    attempt: int


@dataclass(frozen=True)
class Outcome:
    """What came of a try. status: of the answer, None where there was none; error: in words, for its owner."""

    status: int | None
    milliseconds: int
    error: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver took the message."""
        return self.status is not None and 200 <= self.status < 300


def take_due(session: Session, *, limit: int, lasting: timedelta, busy: Collection[str] = ()) -> list[Due]:
    """Take the oldest due message of each web hook but the `busy` ones; it counts as lost after `lasting`.

    Web hooks that fail come last: receivers that hang, however many, leave the others their turn.
    """
    moment = now(session)
    heads = (
        select(WebhookDelivery.id, WebhookDelivery.due_at, Webhook.failing_since.is_not(None).label("failing"))
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(
            WebhookDelivery.state == "pending",
            WebhookDelivery.due_at <= moment,
            Webhook.disabled_at.is_(None),
            Webhook.id.not_in(busy),
        )
        .ext(distinct_on(WebhookDelivery.webhook_id))
        .order_by(WebhookDelivery.webhook_id, WebhookDelivery.due_at, WebhookDelivery.created_at)
        .subquery()
    )
    oldest = select(heads.c.id).order_by(heads.c.failing, heads.c.due_at).limit(limit)
    rows = session.execute(
        select(WebhookDelivery, Webhook)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(WebhookDelivery.id.in_(oldest), WebhookDelivery.state == "pending", WebhookDelivery.due_at <= moment)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
    ).all()
    taken: list[Due] = []
    for message, webhook in rows:
        message.due_at = moment + lasting
        message.attempts += 1
        message.attempted_at = moment
        former = webhook.former_until is not None and webhook.former_until > moment
        versions = [webhook.secret_version, *([webhook.secret_version - 1] if former else [])]
        taken.append(Due(message.id, webhook.id, webhook.url, body_of(message), versions, message.attempts))
    session.flush()
    return taken


def body_of(message: WebhookDelivery) -> bytes:
    """What is sent: the same bytes at every try."""
    told = {"type": message.event, "timestamp": message.created_at.isoformat(), "data": message.data}
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()


def settle(session: Session, due: Due, outcome: Outcome) -> None:
    """Mark a try: the message is delivered, waits for its next one, or has failed for good.

    A try that was counted as lost, and after which there was another, marks nothing any more.
    """
    message = session.scalar(
        select(WebhookDelivery)
        .where(WebhookDelivery.id == due.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None or message.attempts != due.attempt:
        return  # Deleted meanwhile, with its web hook; or a later try is the one that counts.
    moment = now(session)
    message.response_status, message.error = outcome.status, outcome.error
    message.milliseconds = outcome.milliseconds
    if outcome.taken:
        message.state = "delivered"
        session.execute(update(Webhook).where(Webhook.id == due.webhook_id).values(failing_since=None))
        return
    wait = min(FIRST_WAIT * 4 ** min(message.attempts - 1, 10), LONGEST_WAIT)
    message.due_at = moment + wait
    if message.due_at > message.give_up_at:
        message.state = "failed"
    _note_failure(session, due.webhook_id, outcome)


def forget(session: Session, older_than: timedelta) -> None:
    """Drop messages that were settled long ago."""
    old = WebhookDelivery.created_at <= func.clock_timestamp() - older_than
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.state != "pending", old))


def _note_failure(session: Session, webhook_id: str, outcome: Outcome) -> None:
    """Note since when a web hook fails; after three days without a success it is disabled, at once when it is gone."""
    webhook = session.scalar(select(Webhook).where(Webhook.id == webhook_id).with_for_update(key_share=True))
    if webhook is None or webhook.disabled_at is not None:
        return
    moment = now(session)
    webhook.failing_since = webhook.failing_since or moment
    if outcome.status == GONE:
        webhook.disabled_at, webhook.disabled_reason = moment, "The receiver answered 410: it is gone."
    elif moment - webhook.failing_since >= DISABLED_AFTER:
        days = DISABLED_AFTER.days
        webhook.disabled_at, webhook.disabled_reason = moment, f"No message was taken for {days} days."
