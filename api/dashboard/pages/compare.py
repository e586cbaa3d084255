"""Jobs beside one another. The address holds their ids, so that a comparison can be shared."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dashboard.access import Resident
from api.dashboard.job_files import read_measured
from api.dashboard.render import page
from api.dashboard.views.compare import LEAST, MOST, Facts, compare
from api.dashboard.views.numbers import NAMES, numbers
from api.deps import ServiceDep
from store import artifacts, jobs, metrics
from store.errors import NotFound
from store.standings import best_accuracy
from store.tables import Artifact, Job

router = APIRouter(include_in_schema=False, prefix="/compare")

Ids = Annotated[list[str], Query(alias="job", max_length=100)]


@router.get("")
def show_comparison(resident: Resident, service: ServiceDep, asked: Ids = []) -> Response:  # noqa: B006 - never changed
    """Two to ten jobs of the project; more or fewer, or ids that are not there, are said."""
    ids = list(dict.fromkeys(asked))
    with service.sessions.begin() as session:
        found = {job_id: _find(session, resident.project_id, job_id) for job_id in ids[:MOST]}
        known = [job for job in found.values() if job is not None]
        stored = _facts(session, known) if len(known) >= LEAST else []
    # The object store is asked when the transaction is over: ten files may take longer than a connection is held.
    facts = [replace(one, measured=read_measured(service.objects, one.files)) for one in stored]
    return page(
        "compare.html",
        status=200 if facts else 404 if ids else 200,
        view=compare(facts) if facts else None,
        missing=[job_id for job_id, job in found.items() if job is None],
        left_out=len(ids[MOST:]),
        most=MOST,
    )


def _find(session: Session, project_id: str, job_id: str) -> Job | None:
    """The job; None for one that is not there, and for one that trained nothing."""
    try:
        found = jobs.get(session, project_id, job_id)
    except NotFound:
        return None
    return found if found.kind == "distillation" else None


def _facts(session: Session, found: Sequence[Job]) -> list[Facts]:
    """All that the database has of them."""
    best = best_accuracy(session, [job.id for job in found])
    gathered = []
    for job in found:
        files: Sequence[Artifact] = artifacts.list_newest(session, job.project_id, job.id)
        series = metrics.series(session, job.project_id, job.id, names=NAMES, max_points=10_000)
        gathered.append(Facts(job, best.get(job.id, {}), numbers(series), None, files))
    return gathered
