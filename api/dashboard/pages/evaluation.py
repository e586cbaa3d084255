"""The evaluation of a job: by rule, class and size, where the teacher helped, curves, confusions, kinds of errors."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from api.dashboard.access import Resident
from api.dashboard.job_files import read_measured
from api.dashboard.render import page
from api.dashboard.views.evaluation import evaluation
from api.dashboard.views.job_head import job_head
from api.dashboard.views.pr_curves import pr_curves
from api.deps import ServiceDep
from api.service import Service
from store import artifacts, jobs
from store.errors import NotFound
from store.tables import Artifact, Job

router = APIRouter(include_in_schema=False, prefix="/jobs/{job_id}/evaluation")


@router.get("")
def show_evaluation(job_id: str, resident: Resident, service: ServiceDep) -> Response:
    """Everything measured on val after the trainings."""
    try:
        job, files = _find(service, resident.project_id, job_id)
    except NotFound:
        return page("missing.html", 404, what=f"job {job_id}")
    measured = read_measured(service.objects, files)
    return page("job/evaluation.html", job=job_head(job), view=evaluation(measured) if measured else None)


@router.get("/curve")
def read_curve(
    job_id: str,
    resident: Resident,
    service: ServiceDep,
    name: Annotated[str, Query(alias="class", max_length=400)],
) -> Response:
    """One class's curves of precision over recall. Raises NotFound."""
    _, files = _find(service, resident.project_id, job_id)
    measured = read_measured(service.objects, files)
    return JSONResponse(
        {"curves": pr_curves(measured, name) if measured else []}, headers={"cache-control": "no-store"}
    )


def _find(service: Service, project_id: str, job_id: str) -> tuple[Job, list[Artifact]]:
    """The job and its files, in a transaction that is over before the object store is asked."""
    with service.sessions.begin() as session:
        return jobs.get(session, project_id, job_id), list(artifacts.list_newest(session, project_id, job_id))
