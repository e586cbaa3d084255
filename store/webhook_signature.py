"""Secrets of web hooks and what they sign: the scheme of Standard Webhooks, which receivers have libraries for.

No secret is stored. It follows from the service's own secret, the web hook's id and a version: a stolen database signs
nothing.
"""

import base64
import hashlib
import hmac

from pydantic import SecretStr

PREFIX = "whsec_"


def secret_of(webhook_id: str, version: int, service: SecretStr) -> str:
    """A web hook's secret, as its receiver is given it."""
    key = service.get_secret_value().encode()
    made = hmac.new(key, f"webhook/{webhook_id}/{version}".encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(made).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message: `v1,` and the HMAC-SHA256 of `id.timestamp.body`. timestamp: seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"
