"""What the project uses of what it may."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.dashboard.access import Resident
from api.dashboard.render import page
from api.dashboard.views.usage import usage_view
from api.deps import SessionDep
from store import projects, usage

router = APIRouter(include_in_schema=False, prefix="/usage")


@router.get("")
def show_usage(resident: Resident, session: SessionDep) -> Response:
    """Limits as bars, and device hours day by day."""
    view = usage_view(usage.of_project(session, resident.project_id))
    return page("usage.html", view=view, project=projects.get(session, resident.project_id).name)
