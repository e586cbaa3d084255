"""/v1/evaluations: a registered model, measured on a data set. They run as jobs do, under `/v1/jobs/{id}`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import etag
from api import job_creation as creation
from api.deps import Reader, SessionDep, SettingsDep, Submitter
from api.job_answers import whole
from api.job_creation import DeviceClass, KeyHeader
from api.problems import responses
from api.schemas.jobs import JobOut, JobSummary
from api.schemas.page import PageOut
from fgfi_core.spec.evaluation import EvaluationSpec
from store import evaluations, jobs
from store.queues import Placing, Priority
from store.states import JobState

router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"])


@router.post(
    "", status_code=201, response_model=JobOut, responses=responses(401, 403, 404, 413, 422, *creation.REFUSED)
)
def create_evaluation(
    principal: Submitter,
    spec: EvaluationSpec,
    session: SessionDep,
    settings: SettingsDep,
    response: Response,
    idempotency_key: KeyHeader = None,
    priority: Priority = "normal",
    device_class: DeviceClass = None,
) -> JobOut:
    """Queue a measurement. The model must know every class of the data; it is a job whose `kind` is `evaluation`.

    Its events, cancellation, files and report are those of any job; `result` has its accuracy, `evaluation.json` all
    that was measured.
    """
    placing = Placing(creation.queue_for(spec, device_class, settings), priority)
    request = creation.asked({"evaluation": spec.model_dump(mode="json")}, priority, device_class)
    once = creation.once_of(idempotency_key, request, settings)
    made = creation.by_field(lambda: evaluations.create(session, principal.project_id, spec, once, placing))
    response.headers["location"] = f"/v1/evaluations/{made.job.id}"
    if made.replayed:
        response.headers["idempotency-replayed"] = "true"
    return whole(session, made.job)


@router.get("", response_model=PageOut[JobSummary], responses=responses(401, 403, 422, "bad_cursor"))
def list_evaluations(
    principal: Reader,
    session: SessionDep,
    state: Annotated[list[JobState] | None, Query()] = None,
    dataset: Annotated[str | None, Query(description="Id of a data set.")] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageOut[JobSummary]:
    """Evaluations, newest first."""
    page = jobs.list_page(
        session,
        principal.project_id,
        kind="evaluation",
        states=state or (),
        dataset_id=dataset,
        cursor=cursor,
        limit=limit,
    )
    data = [JobSummary.of(row, {}) for row in page.rows]
    return PageOut(data=data, has_more=page.has_more, next_cursor=page.next_cursor)


@router.get("/{evaluation_id}", response_model=JobOut, responses=responses(401, 403, 404) | etag.UNCHANGED)
def get_evaluation(evaluation_id: str, principal: Reader, session: SessionDep, request: Request) -> Response:
    """One evaluation in full. Send its `ETag` back as `If-None-Match` and get 304 while nothing has changed."""
    return etag.answer(request, whole(session, evaluations.get(session, principal.project_id, evaluation_id)))
