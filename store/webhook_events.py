"""Writing down what web hooks are to be told, in the transaction of what happened: neither is there without the other.

A web hook that is being deleted meanwhile is passed over: it must never undo what happened.
"""

from datetime import timedelta
from typing import Literal, get_args

from sqlalchemy import any_, func, literal, select
from sqlalchemy.orm import Session

from store import ids
from store.states import JobState
from store.tables import Job, Webhook, WebhookDelivery
from store.tables.base import Json

Event = Literal["job.created", "job.started", "job.paused", "job.succeeded", "job.failed", "job.cancelled"]
EVENTS: tuple[Event, ...] = get_args(Event)
TEST = "webhook.test"
KEEP_TRYING = timedelta(hours=24)

_OF_STATE: dict[JobState, Event] = {
    "running": "job.started",
    "paused": "job.paused",
    "succeeded": "job.succeeded",
    "failed": "job.failed",
    "cancelled": "job.cancelled",
}


def job_created(session: Session, job: Job) -> None:
    """A job was made."""
    _tell(session, job, "job.created")


def job_moved(session: Session, job: Job, state: JobState) -> None:
    """A job is in another state; of passing ones nobody is told."""
    event = _OF_STATE.get(state)
    if event is not None:
        _tell(session, job, event)


def add(session: Session, webhook_id: str, event: str, data: Json) -> WebhookDelivery:
    """Write one message down; the steward sends it once this transaction is committed."""
    row = WebhookDelivery(
        id=ids.new("msg"),
        webhook_id=webhook_id,
        event=event,
        data=data,
        give_up_at=func.clock_timestamp() + KEEP_TRYING,
    )
    session.add(row)
    session.flush()
    return row


def _tell(session: Session, job: Job, event: Event) -> None:
    wanted = select(Webhook.id).where(
        Webhook.project_id == job.project_id, Webhook.disabled_at.is_(None), literal(event) == any_(Webhook.events)
    )
    for webhook_id in session.scalars(wanted.with_for_update(read=True, key_share=True)).all():
        add(session, webhook_id, event, _told(job))


def _told(job: Job) -> Json:
    """What a message says of a job: enough to act on; the rest is asked for by its id."""
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "dataset_id": job.dataset_id,
        "metadata": job.meta,
        "error": job.error,
    }
