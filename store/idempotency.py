"""Requests that must not be done twice: a key remembers what was asked, and the job or group that came of it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.errors import IdempotencyInFlight, IdempotencyMismatch
from store.ids import kind_of
from store.tables import IdempotencyKey


@dataclass(frozen=True)
class Idempotency:
    """The caller's key, what the request asks (any JSON), and how long the key is remembered."""

    key: str
    request: Any
    remember: timedelta = timedelta(hours=24)


def find(session: Session, project_id: str, asked: Idempotency) -> str | None:
    """The id of what this key made before. Holds the key until the transaction ends, so that a twin cannot pass.

    Raises IdempotencyInFlight while a twin is worked on, IdempotencyMismatch when the key stood for something else.
    """
    name = f"idempotency:{project_id}:{asked.key}"
    if not session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))):
        raise IdempotencyInFlight("a request with this Idempotency-Key is in progress", hint="Try again in a moment.")
    row = session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.project_id == project_id,
            IdempotencyKey.key == asked.key,
            IdempotencyKey.expires_at > func.clock_timestamp(),
        )
    )
    if row is None:
        return None
    if row.request_sha256 != _fingerprint(asked.request):
        raise IdempotencyMismatch(
            "this Idempotency-Key was used with another request", hint="Use a new key for a new request."
        )
    return row.job_id or row.group_id


def remember(session: Session, project_id: str, asked: Idempotency, made_id: str) -> None:
    """Note the job or group that came of a request, in the transaction that made it."""
    is_group = kind_of(made_id) == "grp"
    values = {
        "request_sha256": _fingerprint(asked.request),
        "job_id": None if is_group else made_id,
        "group_id": made_id if is_group else None,
        "expires_at": func.clock_timestamp() + asked.remember,
    }
    # Only an expired row of the same key can be in the way.
    session.execute(
        insert(IdempotencyKey)
        .values(project_id=project_id, key=asked.key, **values)
        .on_conflict_do_update(index_elements=["project_id", "key"], set_=values)
    )


def _fingerprint(request: Any) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
