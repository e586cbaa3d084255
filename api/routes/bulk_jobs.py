"""/v1/jobs/bulk: many jobs in one request, each made or refused by itself."""

import json

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.orm import Session

from api import job_creation as creation
from api.deps import SessionDep, SettingsDep, Submitter
from api.job_creation import KeyHeader
from api.problems import Problem, describe, invalid, responses
from api.refusals import problem_of, unkept
from api.schemas.bulk_jobs import BulkIn, BulkItem, BulkOut, BulkResult
from api.schemas.jobs import JobSummary
from fgfi_core.spec import JobSpec
from store.database import UNKEPT
from store.errors import StoreError
from store.jobs import Created
from store.queues import Placing
from store.settings import Settings

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.post("/bulk", status_code=207, response_model=BulkOut, responses=responses(401, 403, 413, 422))
def create_jobs(
    principal: Submitter,
    asked: BulkIn,
    session: SessionDep,
    settings: SettingsDep,
    idempotency_key: KeyHeader = None,
) -> BulkOut:
    """Queue many jobs. The answer (207) tells of each whether it was made; one that is refused keeps no other from it.

    With an `Idempotency-Key` each item without one of its own has that key and its index, so that the same request can
    be repeated as a whole.
    """
    results = [
        _one(session, principal.project_id, index, _keyed(item, index, idempotency_key), settings)
        for index, item in enumerate(asked.jobs)
    ]
    created = sum(result.job is not None for result in results)
    return BulkOut(created=created, refused=len(results) - created, data=results)


def _keyed(item: BulkItem, index: int, key: str | None) -> BulkItem:
    if key is None or item.idempotency_key is not None:
        return item
    return item.model_copy(update={"idempotency_key": f"{key}#{index}"})


def _one(session: Session, project_id: str, index: int, item: BulkItem, settings: Settings) -> BulkResult:
    try:
        with session.begin_nested():  # What is refused leaves nothing behind.
            made = _make(session, project_id, item, settings)
    except RequestValidationError as error:
        problem = invalid(error)
    except StoreError as error:
        problem = problem_of(error)
    except Problem as error:
        problem = error
    except UNKEPT:
        problem = unkept()
    else:
        return BulkResult(index=index, status=201, replayed=made.replayed, job=JobSummary.of(made.job, {}))
    return BulkResult(index=index, status=problem.status, problem=describe(problem))


def _make(session: Session, project_id: str, item: BulkItem, settings: Settings) -> Created:
    try:
        spec = JobSpec.model_validate_json(json.dumps(item.spec))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False), body=item.spec) from error
    placing = Placing(creation.queue_for(spec, item.device_class, settings), item.priority)
    request = creation.asked(spec.model_dump(mode="json"), item.priority, item.device_class)
    return creation.create(
        session, project_id, spec, creation.once_of(item.idempotency_key, request, settings), placing
    )
