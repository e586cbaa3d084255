"""/v1/usage: what the project uses of its limits."""

from fastapi import APIRouter

from api.deps import Reader, SessionDep
from api.problems import responses
from api.schemas.projects import UsageOut
from store import usage

router = APIRouter(prefix="/v1/usage", tags=["projects"])


@router.get("", response_model=UsageOut, responses=responses(401, 403))
def get_usage(principal: Reader, session: SessionDep) -> UsageOut:
    """Jobs, bytes and device hours against their limits, and device hours day by day."""
    return UsageOut.of(principal.project_id, usage.of_project(session, principal.project_id))
