"""Groups of jobs: the list, and one with how its arms stand."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api import group_summary
from api.dashboard.access import Resident, Submitting
from api.dashboard.render import page
from api.dashboard.views.groups import GroupRow, group_row, group_view
from api.deps import SessionDep
from store import groups
from store.errors import NotFound

router = APIRouter(include_in_schema=False, prefix="/groups")

PAGE_ROWS = 30
Text = Annotated[str, Query(max_length=400)]


@router.get("")
def show_groups(resident: Resident, session: SessionDep, cursor: Text = "") -> Response:
    """Groups, newest first. Raises BadCursor."""
    rows, older = _list(session, resident.project_id, cursor)
    return page("groups.html", groups=rows, cursor=cursor, newest="/groups" if cursor else None, older=older)


@router.get("/list")
def renew_groups(resident: Resident, session: SessionDep, cursor: Text = "") -> Response:
    """The list alone. Raises BadCursor."""
    rows, older = _list(session, resident.project_id, cursor)
    return page("groups/list.html", groups=rows, newest="/groups" if cursor else None, older=older)


@router.get("/{group_id}")
def show_group(group_id: str, resident: Resident, session: SessionDep) -> Response:
    """One group."""
    try:
        group = groups.get(session, resident.project_id, group_id)
    except NotFound:
        return page("missing.html", 404, what=f"group {group_id}")
    return page("group.html", group=group_view(group_summary.whole(session, group)))


@router.get("/{group_id}/standing")
def renew_group(group_id: str, resident: Resident, session: SessionDep) -> Response:
    """How its arms stand now. Raises NotFound."""
    group = groups.get(session, resident.project_id, group_id)
    return page("groups/standing.html", group=group_view(group_summary.whole(session, group)))


@router.post("/{group_id}/cancel")
def cancel_group(group_id: str, visitor: Submitting, session: SessionDep) -> Response:
    """Cancel all its jobs that are not over. Raises NotFound."""
    return RedirectResponse(f"/groups/{groups.cancel(session, visitor.project_id, group_id).id}", 303)


@router.post("/{group_id}/delete")
def delete_group(group_id: str, visitor: Submitting, session: SessionDep) -> Response:
    """Delete it with its jobs. Raises NotFound; WrongState while one may still run."""
    groups.delete(session, visitor.project_id, group_id)
    return RedirectResponse("/groups", 303)


def _list(session: Session, project_id: str, cursor: str) -> tuple[tuple[GroupRow, ...], str | None]:
    found = groups.list_page(session, project_id, cursor=cursor or None, limit=PAGE_ROWS)
    states = groups.states_of(session, [row.id for row in found.rows])
    rows = tuple(group_row(group_summary.brief(row, states[row.id])) for row in found.rows)
    return rows, f"/groups?cursor={found.next_cursor}" if found.next_cursor else None
