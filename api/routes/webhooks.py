"""/v1/webhooks: be told of jobs by signed requests, see what became of each, try and repeat them."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Response

from api.deps import Admin, Reader, SessionDep, SettingsDep
from api.problems import FieldError, Problem, responses
from api.schemas.page import PageOut
from api.schemas.webhooks import (
    DeliveryOut,
    NewWebhookOut,
    SecretRotation,
    WebhookChanges,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
)
from store import webhooks
from store.errors import AddressRefused
from store.public_address import public_addresses
from store.settings import Settings
from store.tables import Webhook
from store.webhook_signature import secret_of
from store.webhooks import Changes

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.post(
    "",
    status_code=201,
    response_model=NewWebhookOut,
    responses=responses(401, 403, 422, "address_refused", "too_many_webhooks"),
)
def create_webhook(
    body: WebhookIn, principal: Admin, session: SessionDep, settings: SettingsDep, response: Response
) -> NewWebhookOut:
    """Have events sent to an address. The secret that signs them is in this answer and never shown again.

    Messages are JSON, `{type, timestamp, data}`, signed as Standard Webhooks has it; they are sent at least once, each
    under its own `webhook-id`, and for 24 hours until an answer of the 200s.
    """
    _require_public(body.url, settings)
    row = webhooks.create(session, principal.project_id, body.url, body.events)
    response.headers["location"] = f"/v1/webhooks/{row.id}"
    return _with_secret(row, settings)


@router.get("", response_model=WebhooksOut, responses=responses(401, 403))
def list_webhooks(principal: Reader, session: SessionDep) -> WebhooksOut:
    """The project's webhooks, newest first."""
    return WebhooksOut(data=[WebhookOut.of(row) for row in webhooks.list_all(session, principal.project_id)])


@router.get("/{webhook_id}", response_model=WebhookOut, responses=responses(401, 403, 404))
def get_webhook(webhook_id: str, principal: Reader, session: SessionDep) -> WebhookOut:
    """One webhook: whether it is enabled, and since when it fails."""
    return WebhookOut.of(webhooks.get(session, principal.project_id, webhook_id))


@router.patch("/{webhook_id}", response_model=WebhookOut, responses=responses(401, 403, 404, 422, "address_refused"))
def update_webhook(
    webhook_id: str, body: WebhookChanges, principal: Admin, session: SessionDep, settings: SettingsDep
) -> WebhookOut:
    """Change where it leads or what it is told of; disable it, or enable it again."""
    if body.url is not None:
        _require_public(body.url, settings)
    changes = Changes(body.url, body.events, body.enabled)
    return WebhookOut.of(webhooks.change(session, principal.project_id, webhook_id, changes))


@router.delete("/{webhook_id}", status_code=204, responses=responses(401, 403, 404))
def delete_webhook(webhook_id: str, principal: Admin, session: SessionDep) -> None:
    """Delete a webhook; what waits is not sent any more."""
    webhooks.delete(session, principal.project_id, webhook_id)


@router.post("/{webhook_id}/rotate", response_model=NewWebhookOut, responses=responses(401, 403, 404, 422))
def rotate_webhook_secret(
    webhook_id: str,
    principal: Admin,
    session: SessionDep,
    settings: SettingsDep,
    body: SecretRotation | None = None,
) -> NewWebhookOut:
    """Make a new secret. For a while messages carry the signatures of both, so that none is lost on the way over."""
    overlap = timedelta(hours=(body or SecretRotation()).overlap_hours)
    return _with_secret(webhooks.rotate(session, principal.project_id, webhook_id, overlap), settings)


@router.post("/{webhook_id}/test", status_code=202, response_model=DeliveryOut, responses=responses(401, 403, 404))
def test_webhook(webhook_id: str, principal: Admin, session: SessionDep) -> DeliveryOut:
    """Send it a message of type `webhook.test`. What came of it is in its deliveries a moment later."""
    return DeliveryOut.of(webhooks.try_out(session, principal.project_id, webhook_id))


@router.get(
    "/{webhook_id}/deliveries",
    response_model=PageOut[DeliveryOut],
    responses=responses(401, 403, 404, 422, "bad_cursor"),
)
def list_deliveries(
    webhook_id: str,
    principal: Reader,
    session: SessionDep,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageOut[DeliveryOut]:
    """What was sent or waits, newest first, with the status that it was answered with. Kept for 30 days."""
    page = webhooks.list_deliveries(session, principal.project_id, webhook_id, cursor=cursor, limit=limit)
    data = [DeliveryOut.of(row) for row in page.rows]
    return PageOut(data=data, has_more=page.has_more, next_cursor=page.next_cursor)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=DeliveryOut,
    responses=responses(401, 403, 404),
)
def redeliver(webhook_id: str, delivery_id: str, principal: Admin, session: SessionDep) -> DeliveryOut:
    """Send a message again, under the id it has, also one that was taken."""
    return DeliveryOut.of(webhooks.redeliver(session, principal.project_id, webhook_id, delivery_id))


def _with_secret(row: Webhook, settings: Settings) -> NewWebhookOut:
    secret = secret_of(row.id, row.secret_version, settings.secret_key)
    return NewWebhookOut(**WebhookOut.of(row).model_dump(), secret=secret)


def _require_public(url: str, settings: Settings) -> None:
    """Refuse an address that would be refused when a message goes out, where its maker still sees it."""
    parts = urlsplit(url)
    try:
        public_addresses(parts.hostname or "", parts.port or 443, settings.called_networks)
    except AddressRefused as error:
        field = FieldError(path="url", message=error.message, hint=error.hint)
        raise Problem(422, error.code, f"url: {error.message}.", hint=error.hint, errors=(field,)) from error
