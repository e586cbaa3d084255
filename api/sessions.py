"""The dashboard's session: a signed cookie that names a row of the database, which says who is in and until when.

The signature spares the database what was made up; the row is what can be ended (`store/logins.py`).
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import astuple, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response

from api.oidc import Errand
from store.settings import Settings

COOKIE = "fgfi_session"
ERRAND_COOKIE = "fgfi_login"
ERRAND_SECONDS = 600
_SESSION, _ERRAND = b"fgfi dashboard session", b"fgfi login errand"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Visit:
    """An open session."""

    session_id: str
    expires: int


def cookie_name(settings: Settings) -> str:
    """Over HTTPS the name binds the cookie to this very host."""
    return f"__Host-{COOKIE}" if _secure(settings) else COOKIE


def open_session(response: Response, settings: Settings, session_id: str) -> None:
    """Put a session that was opened just now on a response."""
    lasts = int(settings.session_hours * 3600)
    response.set_cookie(
        cookie_name(settings),
        sign(settings, Visit(session_id, int(time.time()) + lasts)),
        max_age=lasts,
        httponly=True,
        samesite="lax",
        secure=_secure(settings),
    )


def close_session(response: Response, settings: Settings) -> None:
    """Take the session off the browser."""
    response.delete_cookie(cookie_name(settings), httponly=True, samesite="lax", secure=_secure(settings))


def remember_errand(response: Response, settings: Settings, errand: Errand) -> None:
    """Put on a response what a browser must come back from the login provider with."""
    text = _signed(settings, _ERRAND, [*astuple(errand), int(time.time()) + ERRAND_SECONDS])
    response.set_cookie(
        ERRAND_COOKIE,
        text,
        max_age=ERRAND_SECONDS,
        path="/login/oidc",
        httponly=True,
        samesite="lax",  # The way back begins at the provider.
        secure=_secure(settings),
    )


def read_errand(request: Request, settings: Settings) -> Errand | None:
    """What the browser was sent out with; None when it was not, or too long ago."""
    found = _read(settings, _ERRAND, request.cookies.get(ERRAND_COOKIE, ""))
    if not isinstance(found, list) or len(found) != len(fields(Errand)) + 1 or found[-1] <= time.time():
        return None
    return Errand(*found[:-1])


def forget_errand(response: Response, settings: Settings) -> None:
    """An errand is good for one way."""
    response.delete_cookie(ERRAND_COOKIE, path="/login/oidc", httponly=True, samesite="lax", secure=_secure(settings))


def read_session(request: Request, settings: Settings) -> Visit | None:
    """The request's session; None when there is none, or it is forged or over."""
    text = request.cookies.get(cookie_name(settings))
    return verify(settings, text, now=time.time()) if text else None


def sign(settings: Settings, visit: Visit) -> str:
    """The session as text with its signature."""
    return _signed(settings, _SESSION, [visit.session_id, visit.expires])


def verify(settings: Settings, text: str, *, now: float) -> Visit | None:
    """Read what `sign` wrote; None when anything about it is wrong."""
    try:
        session_id, expires = _read(settings, _SESSION, text) or ("", 0)
    except ValueError:
        return None
    return Visit(session_id, expires) if expires > now else None


def from_same_origin(request: Request) -> bool:
    """Whether a request that changes something comes from a page of ours, and not from another site's form."""
    if request.method in SAFE_METHODS:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def _secure(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")


def _signed(settings: Settings, purpose: bytes, content: list[str | int]) -> str:
    payload = _encode(json.dumps(content).encode())
    return f"{payload}.{_encode(_mac(settings, purpose, payload))}"


def _read(settings: Settings, purpose: bytes, text: str) -> Any:
    """What `_signed` wrote for this purpose; None when anything about it is wrong."""
    payload, _, signature = text.partition(".")
    try:
        if not hmac.compare_digest(_decode(signature), _mac(settings, purpose, payload)):
            return None
        return json.loads(_decode(payload))
    except (binascii.Error, ValueError, TypeError):
        return None


def _mac(settings: Settings, purpose: bytes, payload: str) -> bytes:
    # A purpose in the key: a signature made for anything else is never a session.
    key = hashlib.sha256(purpose + b"\0" + settings.secret_key.get_secret_value().encode()).digest()
    return hmac.digest(key, payload.encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
