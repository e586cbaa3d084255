"""The book of who did what: written by the act itself, in its transaction, so that neither is there without the other.

A program that serves requests sets `CALLER` for each; the functions of `store` that change something call `record`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store import ids
from store.pages import Page, page
from store.principal import Principal
from store.tables import AuditEntry

ActorKind = Literal["key", "user", "link", "service"]


@dataclass
class Caller:
    """Whose request is served. `principal` is filled in once that is known."""

    address: str | None = None
    request_id: str | None = None
    principal: Principal | None = None

    def actor(self) -> tuple[ActorKind, str | None]:
        """How the book names the caller."""
        who = self.principal
        if who is None:
            return "service", None
        if who.user is not None:
            return "user", who.user
        if who.key_id is not None:
            return "key", who.key_id
        return "link", who.session_id


CALLER: ContextVar[Caller | None] = ContextVar("fgfi_caller", default=None)
"""The request's; in threads that work for it, too. None where no request is served: then the service itself acts."""


@dataclass(frozen=True)
class Filters:
    """What a reader of the book looks for; None is anything. action: one, or a prefix such as `job.`."""

    action: str | None = None
    actor: str | None = None
    resource: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@contextmanager
def serving(caller: Caller) -> Iterator[Caller]:
    """Let what is done meanwhile be this caller's doing."""
    token = CALLER.set(caller)
    try:
        yield caller
    finally:
        CALLER.reset(token)


def record(session: Session, project_id: str, action: str, resource_id: str | None = None, **detail: Any) -> None:
    """Write down an act, such as `job.cancel`. detail: what of it matters later; never a secret."""
    caller = CALLER.get() or Caller()
    kind, actor = caller.actor()
    session.add(
        AuditEntry(
            id=ids.new("aud"),
            project_id=project_id,
            actor_kind=kind,
            actor_id=actor,
            action=action,
            resource_id=resource_id,
            detail=detail,
            address=caller.address,
            request_id=caller.request_id,
        )
    )
    session.flush()


def list_page(
    session: Session, project_id: str, filters: Filters, *, cursor: str | None = None, limit: int = 50
) -> Page[AuditEntry]:
    """What was done in a project, newest first. Raises BadCursor."""
    query = select(AuditEntry).where(AuditEntry.project_id == project_id)
    if filters.action is not None:
        query = query.where(AuditEntry.action.startswith(filters.action, autoescape=True))
    if filters.actor is not None:
        query = query.where(AuditEntry.actor_id == filters.actor)
    if filters.resource is not None:
        query = query.where(AuditEntry.resource_id == filters.resource)
    if filters.since is not None:
        query = query.where(AuditEntry.created_at >= filters.since)
    if filters.until is not None:
        query = query.where(AuditEntry.created_at < filters.until)
    return page(session, query, AuditEntry, cursor=cursor, limit=limit)


def forget(session: Session, older_than: timedelta) -> None:
    """Drop entries past their time."""
    session.execute(delete(AuditEntry).where(AuditEntry.created_at < func.clock_timestamp() - older_than))
