"""The list of jobs, and the fragment it renews itself with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dashboard.access import Resident
from api.dashboard.render import page
from api.dashboard.views.joblist import FILTERS, JobList, job_list
from api.deps import SessionDep, SettingsDep
from store import jobs
from store.standings import best_accuracy

router = APIRouter(include_in_schema=False)

PAGE_ROWS = 50
Text = Annotated[str, Query(max_length=400)]


@dataclass(frozen=True)
class Filters:
    """What of the jobs is asked for, as it stands in the page's address."""

    state: Text = ""
    q: Text = ""
    dataset: Text = ""
    cursor: Text = ""


Asked = Annotated[Filters, Depends()]


@router.get("/jobs")
def show_jobs(resident: Resident, session: SessionDep, settings: SettingsDep, asked: Asked) -> Response:
    """The list of jobs; before the first one, how to begin."""
    view = _list(session, resident.project_id, asked)
    if view.empty:
        return page("begin.html", public_url=settings.public_url.rstrip("/"))
    return page("jobs.html", view=view)


@router.get("/jobs/list")
def renew_jobs(resident: Resident, session: SessionDep, asked: Asked) -> Response:
    """The list alone. The browser's address follows the filters, so that it can be shared and reloaded."""
    view = _list(session, resident.project_id, asked)
    return page("jobs/list.html", headers={"hx-replace-url": view.address}, view=view)


def _list(session: Session, project_id: str, asked: Filters) -> JobList:
    found = jobs.list_page(
        session,
        project_id,
        states=FILTERS.get(asked.state, ()),
        dataset_id=asked.dataset or None,
        text=asked.q.strip() or None,
        cursor=asked.cursor or None,
        limit=PAGE_ROWS,
    )
    best = best_accuracy(session, [job.id for job in found.rows])
    counts = jobs.count_by_state(session, project_id)
    state = asked.state if asked.state in FILTERS else ""
    return job_list(found, best, counts, state=state, query=asked.q, dataset=asked.dataset, cursor=asked.cursor)
