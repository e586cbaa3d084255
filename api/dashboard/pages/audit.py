"""Who did what in the project."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.dashboard.access import Ruling
from api.dashboard.render import page
from api.dashboard.views.audit import ACTIONS, Asked, acts
from api.deps import SessionDep
from store import audit, keys
from store.audit import Filters

router = APIRouter(include_in_schema=False, prefix="/audit")

Text = Annotated[str, Query(max_length=200)]


@router.get("")
def show_audit(
    visitor: Ruling,
    session: SessionDep,
    action: Text = "",
    actor: Text = "",
    resource: Text = "",
    since: Text = "",
    until: Text = "",
    cursor: Text = "",
) -> Response:
    """The newest acts that fit; filters stand in the address. Raises BadCursor."""
    asked = Asked(action, actor.strip(), resource.strip(), since, until)
    last = _day(until)
    filters = Filters(
        asked.action or None,
        asked.actor or None,
        asked.resource or None,
        _day(since),
        last + timedelta(days=1) if last else None,
    )
    found = audit.list_page(session, visitor.project_id, filters, cursor=cursor or None)
    known = keys.list_all(session, visitor.project_id, revoked=True)
    return page(
        "audit.html",
        acts=acts(found.rows, known),
        asked=asked,
        actions=ACTIONS,
        keys=known,
        newest=asked.address() if cursor else None,
        older=asked.address(found.next_cursor) if found.next_cursor else None,
    )


def _day(text: str) -> datetime | None:
    """The beginning of a day by UTC; None for what is no day, or none with a day after it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time.min, UTC) if day < date.max else None
