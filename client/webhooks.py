"""For whoever receives webhooks: is this message from the service, whole and of now?

message = verify_webhook(body, headers, secret)     # {"type": "job.succeeded", "timestamp": ..., "data": {...}}
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300.0


class NotGenuine(Exception):
    """A request that is not the service's, or that was changed or kept back on its way. Answer 400 and do nothing."""


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> dict[str, Any]:
    """The message in a request's body. Raises NotGenuine.

    body: the bytes as they came, not parsed and written anew. headers: of the request, in any case. secret: as the
    service showed it, `whsec_...`. now: seconds since 1970, default: this machine's clock. A message may come twice:
    its `webhook-id` tells, and stays the same.
    """
    given = {name.lower(): value for name, value in headers.items()}
    missing = [f"webhook-{part}" for part in ("id", "timestamp", "signature") if f"webhook-{part}" not in given]
    if missing:
        raise NotGenuine(f"the request has no header {' and no '.join(missing)}")
    moment = given["webhook-timestamp"]
    if not (moment.isascii() and moment.isdigit() and len(moment) < 16):
        raise NotGenuine("webhook-timestamp is no number of seconds")
    if abs((time.time() if now is None else now) - int(moment)) > tolerance_seconds:
        raise NotGenuine("the message is too old, or a clock is wrong")
    signed = f"{given['webhook-id']}.{moment}.".encode() + body
    expected = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
    candidates = [one.removeprefix("v1,").encode() for one in given["webhook-signature"].split() if one[:3] == "v1,"]
    # All of them are looked at: during a rotation there are two.
    if sum(hmac.compare_digest(expected, candidate) for candidate in candidates) == 0:
        raise NotGenuine("the signature is of another secret or another body")
    return dict(json.loads(body))


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook's secret reads whsec_ and base64: copy it whole") from error
