"""The pages and the fragments they renew themselves with."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.dashboard.access import Resident
from api.dashboard.render import page
from api.dashboard.views.downloads import downloads
from api.dashboard.views.job import spec_text, top
from api.dashboard.views.joblist import FILTERS, JobList, job_list
from api.dashboard.views.numbers import HEADLINE, NAMES, numbers
from api.dashboard.views.progress import settled
from api.dashboard.views.story import lines
from api.deps import SessionDep, SettingsDep
from store import artifacts, datasets, events, jobs, metrics
from store.errors import NotFound, StoreError
from store.standings import best_accuracy
from store.states import Action, is_terminal
from store.tables import Dataset, Job

router = APIRouter(include_in_schema=False)

ACTIONS: dict[Action, Callable[[Session, str, str], Job]] = {
    "cancel": jobs.cancel,
    "pause": jobs.pause,
    "resume": jobs.resume,
    "retry": jobs.retry,
}
PAGE_ROWS = 50
# A log on a page is for reading; the API has all of it.
LOG_LINES = 1000
Text = Annotated[str, Query(max_length=400)]


@router.get("/")
def home() -> Response:
    """The jobs are the home page."""
    return RedirectResponse("/jobs", 303)


@router.get("/jobs")
def show_jobs(
    resident: Resident, session: SessionDep, settings: SettingsDep, state: Text = "", q: Text = "", cursor: Text = ""
) -> Response:
    """The list of jobs; before the first one, how to begin."""
    view = _list(session, resident.project_id, state, q, cursor)
    if view.empty:
        return page("begin.html", public_url=settings.public_url.rstrip("/"))
    return page("jobs.html", view=view)


@router.get("/jobs/list")
def renew_jobs(resident: Resident, session: SessionDep, state: Text = "", q: Text = "", cursor: Text = "") -> Response:
    """The list alone. The browser's address follows the filters, so that it can be shared and reloaded."""
    view = _list(session, resident.project_id, state, q, cursor)
    return page("jobs_list.html", headers={"hx-replace-url": view.address}, view=view)


@router.get("/jobs/{job_id}")
def show_job(job_id: str, resident: Resident, session: SessionDep, settings: SettingsDep) -> Response:
    """One job."""
    try:
        job = jobs.get(session, resident.project_id, job_id)
    except NotFound:
        return page("missing.html", 404, what=f"job {job_id}")
    return page(
        "job.html",
        **_top(session, job),
        **_rest(session, job, settings.public_url),
        **_log(session, job),
        spec=spec_text(job),
    )


@router.get("/jobs/{job_id}/top")
def renew_top(job_id: str, resident: Resident, session: SessionDep) -> Response:
    """Header, headline and stages."""
    return page("job/top.html", **_top(session, jobs.get(session, resident.project_id, job_id)))


@router.get("/jobs/{job_id}/rest")
def renew_rest(job_id: str, resident: Resident, session: SessionDep, settings: SettingsDep) -> Response:
    """Numbers, downloads and attempts."""
    return page("job/rest.html", **_rest(session, jobs.get(session, resident.project_id, job_id), settings.public_url))


@router.get("/jobs/{job_id}/log")
def renew_log(job_id: str, resident: Resident, session: SessionDep) -> Response:
    """The lines of the log."""
    return page("job/log.html", **_log(session, jobs.get(session, resident.project_id, job_id)))


@router.post("/jobs/{job_id}/{action}")
def act(job_id: str, action: Action, resident: Resident, session: SessionDep) -> Response:
    """Act on a job, and show what came of it: one that moved on meanwhile is no error for the person who clicked."""
    try:
        job = ACTIONS[action](session, resident.project_id, job_id)
    except StoreError:
        job = jobs.get(session, resident.project_id, job_id)
    return RedirectResponse(f"/jobs/{job.id}", 303)


def _list(session: Session, project_id: str, state: str, query: str, cursor: str) -> JobList:
    found = jobs.list_page(
        session,
        project_id,
        states=FILTERS.get(state, ()),
        text=query.strip() or None,
        cursor=cursor or None,
        limit=PAGE_ROWS,
    )
    best = best_accuracy(session, [job.id for job in found.rows])
    counts = jobs.count_by_state(session, project_id)
    return job_list(found, best, counts, state=state if state in FILTERS else "", query=query, cursor=cursor)


def _top(session: Session, job: Job) -> dict[str, Any]:
    happened = events.events_after(session, job.project_id, job.id, kinds=("stage_finished",))
    best = best_accuracy(session, [job.id]).get(job.id, {})
    accuracy = metrics.series(session, job.project_id, job.id, names=[HEADLINE])
    return {"job": top(job, _dataset(session, job), happened, best, accuracy)}


def _rest(session: Session, job: Job, public_url: str) -> dict[str, Any]:
    return {
        "numbers": numbers(metrics.series(session, job.project_id, job.id, names=NAMES, max_points=10_000)),
        "files": downloads(artifacts.list_newest(session, job.project_id, job.id), public_url),
        "attempts": jobs.attempts_of(session, job.project_id, job.id),
        "state": job.state,
        "over": is_terminal(job.state),
        "settled": settled(job),
    }


def _log(session: Session, job: Job) -> dict[str, Any]:
    first = max(0, job.last_sequence - LOG_LINES)
    happened = events.events_after(session, job.project_id, job.id, first, limit=LOG_LINES)
    return {"log": lines(happened), "left_out": first}


def _dataset(session: Session, job: Job) -> Dataset | None:
    try:
        return datasets.get(session, job.project_id, job.dataset_id)
    except NotFound:
        return None
