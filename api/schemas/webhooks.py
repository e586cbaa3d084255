"""Webhooks as the API shows them, and what it is told of new ones."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.schemas.exact import Number
from store.tables import Webhook, WebhookDelivery
from store.webhook_events import Event

NEEDED = "is no address such as https://example.com/hooks/fgfi"


def _http_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(NEEDED) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError(NEEDED)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("has a user, a password or a fragment, which is never sent: verify the signature instead")
    return url


# Visible ASCII alone: what a request line takes as it stands.
Url = Annotated[
    str,
    Field(
        max_length=2000,
        pattern=r"^https?://[!-~]+$",
        description="Where messages are sent by POST: http or https, at a public address.",
    ),
    AfterValidator(_http_address),
]


class WebhookIn(BaseModel):
    """A webhook to be made."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: list[Event] = Field(min_length=1, max_length=50, description="What to be told of.")


class WebhookChanges(BaseModel):
    """What is to be different; what is left out stays. Enabling one that failed gives it a new beginning."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: list[Event] | None = Field(None, min_length=1, max_length=50)
    enabled: bool | None = Field(None, strict=True)


class SecretRotation(BaseModel):
    """How the secret gives way to its successor."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Number = Field(24, ge=0, le=24 * 30, description="So long messages are signed with both.")


class WebhookOut(BaseModel):
    """A webhook. failing_since: of the first failure after the last success. disabled_reason: why nothing is sent."""

    id: str
    url: str
    events: list[Event]
    enabled: bool
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Webhook) -> "WebhookOut":
        """From its row."""
        names = cls.model_fields.keys() - {"enabled"}
        facts = {name: getattr(row, name) for name in names}
        return cls.model_validate({**facts, "enabled": row.disabled_at is None})


class NewWebhookOut(WebhookOut):
    """A webhook with the secret that signs its messages: shown now, and after a rotation the new one."""

    secret: str


class WebhooksOut(BaseModel):
    """The project's webhooks."""

    data: list[WebhookOut]


class DeliveryOut(BaseModel):
    """A message, and what came of its last try. due_at: when it is tried next, while it is pending.

    id: what the receiver sees as `webhook-id`, the same at every try.
    """

    id: str
    event: str
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    response_status: int | None
    error: str | None
    milliseconds: int | None
    data: dict[str, Any]
    created_at: datetime
    attempted_at: datetime | None
    due_at: datetime | None
    give_up_at: datetime

    @classmethod
    def of(cls, row: WebhookDelivery) -> "DeliveryOut":
        """From its row."""
        shown = cls.model_validate(row, from_attributes=True)
        return shown if row.state == "pending" else shown.model_copy(update={"due_at": None})
