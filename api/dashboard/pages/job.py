"""The page of one job, and the fragments it renews itself with."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dashboard.access import Resident
from api.dashboard.render import page
from api.dashboard.views.downloads import downloads
from api.dashboard.views.job import spec_text, top
from api.dashboard.views.job_head import tabs
from api.dashboard.views.numbers import HEADLINE, NAMES, numbers
from api.dashboard.views.progress import settled
from api.dashboard.views.story import lines
from api.deps import SessionDep, SettingsDep
from store import artifacts, datasets, events, jobs, metrics
from store.errors import NotFound
from store.standings import best_accuracy
from store.states import is_terminal
from store.tables import Dataset, Job

router = APIRouter(include_in_schema=False, prefix="/jobs/{job_id}")

# A log on a page is for reading; the API has all of it.
LOG_LINES = 1000


@router.get("")
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
        tabs=tabs(job.id),
    )


@router.get("/top")
def renew_top(job_id: str, resident: Resident, session: SessionDep) -> Response:
    """Header, headline and stages."""
    return page("job/top.html", **_top(session, jobs.get(session, resident.project_id, job_id)))


@router.get("/rest")
def renew_rest(job_id: str, resident: Resident, session: SessionDep, settings: SettingsDep) -> Response:
    """Numbers, downloads and attempts."""
    return page("job/rest.html", **_rest(session, jobs.get(session, resident.project_id, job_id), settings.public_url))


@router.get("/log")
def renew_log(job_id: str, resident: Resident, session: SessionDep) -> Response:
    """The lines of the log."""
    return page("job/log.html", **_log(session, jobs.get(session, resident.project_id, job_id)))


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
        "job_id": job.id,
        "state": job.state,
        "over": is_terminal(job.state),
        "settled": settled(job),
    }


def _log(session: Session, job: Job) -> dict[str, Any]:
    first = max(0, job.last_sequence - LOG_LINES)
    happened = events.events_after(session, job.project_id, job.id, first, limit=LOG_LINES)
    return {"log": lines(happened), "left_out": first, "log_of": job.id}


def _dataset(session: Session, job: Job) -> Dataset | None:
    try:
        return datasets.get(session, job.project_id, job.dataset_id)
    except NotFound:
        return None
