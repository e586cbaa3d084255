"""API keys. Only an HMAC-SHA256 under the service's secret is stored; a key is shown once.

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

from pydantic import SecretStr
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from store import audit, ids
from store.database import now
from store.errors import NotFound, ScopeNotHeld
from store.principal import SCOPES, Principal, Scope
from store.tables import ApiKey

PREFIX = "fgfi_"
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
USE_RESOLUTION = timedelta(minutes=1)


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
    new = _make(session, project_id, name, sorted(set(scopes)), secret, expires_at)
    audit.record(
        session,
        project_id,
        "key.create",
        new.row.id,
        name=name,
        scopes=new.row.scopes,
        expires_at=expires_at and expires_at.isoformat(),
    )
    return new


def verify(session: Session, token: str, secret: SecretStr) -> Principal | None:
    """Who holds this key; None for one that is malformed, unknown, expired or revoked. Notes the use, to the minute.

    The note is a write of its own: commit the session also for a request that only reads.
    """
    if not is_well_formed(token):
        return None
    digest = keyed_digest(token, secret)
    row = session.scalar(select(ApiKey).where(ApiKey.digest == digest, *valid()))
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


def list_all(session: Session, project_id: str, *, revoked: bool = False) -> Sequence[ApiKey]:
    """The project's keys, newest first; those that were revoked only when asked for."""
    query = select(ApiKey).where(ApiKey.project_id == project_id)
    if not revoked:
        query = query.where(ApiKey.revoked_at.is_(None))
    return session.scalars(query.order_by(ApiKey.created_at.desc(), ApiKey.id)).all()


def require_scopes(maker: Principal, scopes: Iterable[str]) -> None:
    """A key cannot give what its maker does not have. Raises ScopeNotHeld."""
    for scope in SCOPES:
        if scope in scopes and not maker.may(scope):
            hint = "Leave it out, or ask somebody who has it."
            raise ScopeNotHeld(f"a key with the scope '{scope}' can be made by its holders alone", hint=hint)


def get(session: Session, project_id: str, key_id: str) -> ApiKey:
    """One key, revoked or not. Raises NotFound."""
    row = session.scalar(select(ApiKey).where(ApiKey.id == key_id, ApiKey.project_id == project_id))
    if row is None:
        raise NotFound(f"there is no key '{key_id}'")
    return row


def rotate(session: Session, project_id: str, key_id: str, secret: SecretStr, overlap: timedelta) -> NewKey:
    """Make a key like this one, which itself works for `overlap` longer, at most. Raises NotFound when it is revoked.

    The new one lasts as long from now as the old one did from its beginning.
    """
    old = session.scalar(
        select(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.project_id == project_id, ApiKey.revoked_at.is_(None))
        .with_for_update(key_share=True)
    )
    if old is None:
        raise NotFound(f"there is no key '{key_id}'")
    moment = now(session)
    lasting = None if old.expires_at is None else moment + (old.expires_at - old.created_at)
    new = _make(session, project_id, old.name, old.scopes, secret, lasting)
    ends = moment + overlap
    old.expires_at = ends if old.expires_at is None else min(old.expires_at, ends)
    if not overlap:
        old.revoked_at = moment
    session.flush()
    audit.record(session, project_id, "key.rotate", key_id, new=new.row.id, old_works_until=ends.isoformat())
    return new


def revoke(session: Session, project_id: str, key_id: str) -> None:
    """Make a key useless from now on, and with it the browser sessions it opened. Raises NotFound."""
    revoked = session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.project_id == project_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.clock_timestamp())
        .returning(ApiKey.id)
    )
    if revoked is None:
        raise NotFound(f"there is no key '{key_id}'")
    audit.record(session, project_id, "key.revoke", key_id)


def valid() -> tuple[ColumnElement[bool], ...]:
    """Conditions on the row of a key that works."""
    return ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.clock_timestamp())


def keyed_digest(token: str, secret: SecretStr) -> bytes:
    """What is stored of a token in its place."""
    return hmac.new(secret.get_secret_value().encode(), token.encode(), hashlib.sha256).digest()


def _make(
    session: Session,
    project_id: str,
    name: str,
    scopes: Sequence[str],
    secret: SecretStr,
    expires_at: datetime | None,
) -> NewKey:
    token = make_token()
    row = ApiKey(
        id=ids.new("key"),
        project_id=project_id,
        name=name,
        hint=token[: len(PREFIX) + 4],
        digest=keyed_digest(token, secret),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return NewKey(row, token)


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
