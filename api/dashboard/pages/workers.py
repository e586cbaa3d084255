"""The workers of the installation, their devices and the queues."""

from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dashboard.access import Resident
from api.dashboard.render import page
from api.dashboard.views.workers import MOST_COUNTED, WorkersView, workers_view
from api.deps import SessionDep, SettingsDep
from api.schemas.workers import REMEMBERED
from store import turns, workers
from store.queues import all_queues
from store.settings import Settings

router = APIRouter(include_in_schema=False, prefix="/workers")


@router.get("")
def show_workers(resident: Resident, session: SessionDep, settings: SettingsDep) -> Response:
    """Who is there, and who waits."""
    return page("workers.html", view=_view(session, resident.project_id, settings))


@router.get("/list")
def renew_workers(resident: Resident, session: SessionDep, settings: SettingsDep) -> Response:
    """The same, to be renewed in its place."""
    return page("workers/list.html", view=_view(session, resident.project_id, settings))


def _view(session: Session, project_id: str, settings: Settings) -> WorkersView:
    seen = workers.list_live(session, within=REMEMBERED)
    waiting = {
        queue: (
            turns.count_waiting(session, queue, most=MOST_COUNTED),
            turns.count_waiting(session, queue, project_id, most=MOST_COUNTED),
        )
        for queue in all_queues(settings.device_classes)
    }
    return workers_view(seen, workers.jobs_of(session, project_id, seen), waiting, datetime.now(UTC))
