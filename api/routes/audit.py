"""/v1/audit: who did what, when and from where."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.deps import Admin, SessionDep
from api.problems import responses
from api.schemas.exact import Moment
from api.schemas.page import PageOut
from store import audit
from store.audit import ActorKind, Filters
from store.tables import AuditEntry

router = APIRouter(prefix="/v1/audit", tags=["projects"])


class AuditOut(BaseModel):
    """One act. actor: a key's id, a user's name, a browser session's id; null when the service itself acted."""

    id: str
    created_at: datetime
    actor_kind: ActorKind
    actor: str | None
    action: str
    resource: str | None
    detail: dict[str, Any]
    address: str | None
    request_id: str | None

    @classmethod
    def of(cls, row: AuditEntry) -> "AuditOut":
        """From its row."""
        return cls(
            id=row.id,
            created_at=row.created_at,
            actor_kind=row.actor_kind,
            actor=row.actor_id,
            action=row.action,
            resource=row.resource_id,
            detail=row.detail,
            address=row.address,
            request_id=row.request_id,
        )


@router.get("", response_model=PageOut[AuditOut], responses=responses(401, 403, 422, "bad_cursor"))
def list_audit(
    principal: Admin,
    session: SessionDep,
    action: Annotated[str | None, Query(max_length=200, description="One, or a prefix such as `key.`")] = None,
    actor: Annotated[str | None, Query(max_length=200, description="A key's id, a user, a session's id.")] = None,
    resource: Annotated[str | None, Query(max_length=200, description="The id of what was acted on.")] = None,
    since: Moment | None = None,
    until: Moment | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PageOut[AuditOut]:
    """What was done in the project, newest first. Entries are written with the act itself and never changed."""
    filters = Filters(action, actor, resource, since, until)
    page = audit.list_page(session, principal.project_id, filters, cursor=cursor, limit=limit)
    return PageOut(data=[AuditOut.of(row) for row in page.rows], has_more=page.has_more, next_cursor=page.next_cursor)
