"""API keys and one-time login links. Only an HMAC-SHA256 under the service's secret is stored; a key is shown once.

A key reads `fgfi_` + 32 random characters + a 6-character checksum: a mistyped one is refused without asking the
database, and a leaked one is recognised by secret scanners.
"""

import hashlib
import hmac
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from pydantic import SecretStr
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from store import ids
from store.errors import NotFound
from store.tables import ApiKey, LoginLink, Project

Scope = Literal["read", "submit", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "fgfi_"
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
USE_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class Principal:
    """Who is asking: a project, and what may be done in it. `key_id` is None for a login link."""

    project_id: str
    scopes: frozenset[str]
    key_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether this scope is granted; admin includes all, submit includes read."""
        included = {"read": {"read", "submit", "admin"}, "submit": {"submit", "admin"}, "admin": {"admin"}}
        return bool(self.scopes & included[scope])


@dataclass(frozen=True)
class NewKey:
    """A key just made; `token` is shown to its owner now and never again."""

    row: ApiKey
    token: str


def create(
    session: Session,
    project_id: str,
    name: str,
    scopes: Iterable[Scope],
    secret: SecretStr,
    *,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key of a project."""
    token = make_token()
    row = ApiKey(
        id=ids.new("key"),
        project_id=project_id,
        name=name,
        hint=token[: len(PREFIX) + 4],
        digest=_digest(token, secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return NewKey(row, token)


def verify(session: Session, token: str, secret: SecretStr) -> Principal | None:
    """Who holds this key; None for one that is malformed, unknown, expired or revoked. Notes the use, to the minute.

    The note is a write of its own: commit the session also for a request that only reads.
    """
    if not is_well_formed(token):
        return None
    digest = _digest(token, secret)
    row = session.scalar(select(ApiKey).where(ApiKey.digest == digest, *_valid()))
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == row.id,
            or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.clock_timestamp() - USE_RESOLUTION),
        )
        .values(last_used_at=func.clock_timestamp())
    )
    return Principal(row.project_id, frozenset(row.scopes), row.id)


def list_all(session: Session, project_id: str) -> Sequence[ApiKey]:
    """The project's keys that are not revoked, newest first."""
    return session.scalars(
        select(ApiKey)
        .where(ApiKey.project_id == project_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at.desc())
    ).all()


def revoke(session: Session, project_id: str, key_id: str) -> None:
    """Make a key useless from now on. Raises NotFound."""
    revoked = session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.project_id == project_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.clock_timestamp())
        .returning(ApiKey.id)
    )
    if revoked is None:
        raise NotFound(f"there is no key '{key_id}'")


def create_login_link(session: Session, project_id: str, secret: SecretStr, valid: timedelta) -> str:
    """Make the token of a link that logs in once."""
    token = secrets.token_urlsafe(32)
    session.add(
        LoginLink(
            digest=_digest(token, secret), project_id=project_id, expires_at=func.clock_timestamp() + valid, used=False
        )
    )
    session.flush()
    return token


def redeem_login_link(session: Session, token: str, secret: SecretStr) -> Principal | None:
    """Use a link's token up; None when it is unknown, expired or used. Of two at once, one wins."""
    project_id = session.scalar(
        update(LoginLink)
        .where(
            LoginLink.digest == _digest(token, secret),
            LoginLink.used.is_(False),
            LoginLink.expires_at > func.clock_timestamp(),
        )
        .values(used=True)
        .returning(LoginLink.project_id)
    )
    return None if project_id is None else Principal(project_id, frozenset(SCOPES))


def project_exists(session: Session, project_id: str) -> bool:
    """Whether a session's project is still there."""
    return session.scalar(select(Project.id).where(Project.id == project_id)) is not None


def _valid() -> tuple[ColumnElement[bool], ...]:
    return ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.clock_timestamp())


def _digest(token: str, secret: SecretStr) -> bytes:
    return hmac.new(secret.get_secret_value().encode(), token.encode(), hashlib.sha256).digest()


def _checksum(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ids.ALPHABET))
        text += ids.ALPHABET[digit]
    return text


def make_token() -> str:
    """A fresh random key."""
    body = "".join(secrets.choice(ids.ALPHABET) for _ in range(RANDOM_LENGTH))
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(token: str) -> bool:
    """Whether prefix, length and checksum fit."""
    body = token[len(PREFIX) : len(PREFIX) + RANDOM_LENGTH]
    return token.isascii() and hmac.compare_digest(token, f"{PREFIX}{body}{_checksum(body)}")
