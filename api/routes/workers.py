"""/v1/workers: who is there to run jobs, on what devices, and how busy."""

from fastapi import APIRouter

from api.deps import Reader, SessionDep
from api.problems import responses
from api.schemas.workers import REMEMBERED, WorkerOut, WorkersOut
from store import workers
from store.database import now

router = APIRouter(prefix="/v1/workers", tags=["workers"])


@router.get("", response_model=WorkersOut, responses=responses(401, 403))
def list_workers(principal: Reader, session: SessionDep) -> WorkersOut:
    """The installation's workers by host, heard of in the last 15 minutes. Jobs of other projects are not told."""
    seen = workers.list_live(session, within=REMEMBERED)
    names = workers.jobs_of(session, principal.project_id, seen)
    moment = now(session)
    return WorkersOut(data=[WorkerOut.of(row, names.get(row.job_id or ""), moment) for row in seen])
