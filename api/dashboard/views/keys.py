"""The page of keys: who may come in, by a key or with a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from store.tables import ApiKey, BrowserSession

# Each includes those before it.
SCOPE_MEANS: Mapping[str, str] = {
    "read": "see everything of the project",
    "submit": "upload, submit and end jobs, too",
    "admin": "make keys and read the audit log, too",
    "operator": "make projects and set their limits, too",
}
# How long a new key works, in days; None: until it is revoked.
LASTING: Mapping[str, int | None] = {"30": 30, "90": 90, "365": 365, "never": None}


@dataclass(frozen=True)
class KeyRow:
    """One key. state: works, expired or revoked. greatest: the scope that includes its others."""

    id: str
    name: str
    hint: str
    greatest: str
    means: str
    state: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class BrowserRow:
    """A browser that is in. mine: the one that looks. by: the user, or the key that let it in."""

    id: str
    by: str
    address: str
    mine: bool
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class KeysView:
    """The page. scopes: what the visitor may give, with what each means. revoked: those are shown, too."""

    keys: tuple[KeyRow, ...]
    browsers: tuple[BrowserRow, ...]
    scopes: tuple[tuple[str, str], ...]
    revoked: bool


def keys_view(
    keys: Sequence[ApiKey],
    browsers: Sequence[BrowserSession],
    *,
    may: Sequence[str],
    own_session: str | None,
    revoked: bool,
    now: datetime,
) -> KeysView:
    """Put the page together. may: the scopes that the visitor has. own_session: the visitor's."""
    names = {key.id: key.name for key in keys}
    return KeysView(
        keys=tuple(_key(key, now) for key in keys if revoked or key.revoked_at is None),
        browsers=tuple(_browser(row, names, own_session) for row in browsers),
        scopes=tuple((scope, SCOPE_MEANS[scope]) for scope in may),
        revoked=revoked,
    )


def _key(key: ApiKey, now: datetime) -> KeyRow:
    greatest = max(key.scopes, key=list(SCOPE_MEANS).index, default="read")
    over = key.expires_at is not None and key.expires_at <= now
    return KeyRow(
        id=key.id,
        name=key.name,
        hint=key.hint,
        greatest=greatest,
        means=SCOPE_MEANS[greatest],
        state="revoked" if key.revoked_at else "expired" if over else "works",
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )


def _browser(row: BrowserSession, names: Mapping[str, str], own: str | None) -> BrowserRow:
    by = row.user or (f"key {names.get(row.key_id, row.key_id)}" if row.key_id else "a link of the operator")
    return BrowserRow(row.id, by, row.address or "", row.id == own, row.created_at, row.expires_at)
