"""/v1/sessions: the browsers that are logged in, and logging them out from afar."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import Admin, SessionDep
from api.problems import responses
from store import logins
from store.principal import Scope
from store.tables import BrowserSession

router = APIRouter(prefix="/v1/sessions", tags=["keys"])


class BrowserSessionOut(BaseModel):
    """A browser that is in. key_id: of the key that let it in. user: as the login provider names them."""

    id: str
    key_id: str | None
    user: str | None
    scopes: list[Scope]
    address: str | None
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: BrowserSession) -> "BrowserSessionOut":
        """From its row."""
        return cls.model_validate(row, from_attributes=True)


class BrowserSessionsOut(BaseModel):
    """The project's."""

    data: list[BrowserSessionOut]


@router.get("", response_model=BrowserSessionsOut, responses=responses(401, 403))
def list_browser_sessions(principal: Admin, session: SessionDep) -> BrowserSessionsOut:
    """Browsers that are logged in to the project, newest first."""
    return BrowserSessionsOut(
        data=[BrowserSessionOut.of(row) for row in logins.list_open(session, principal.project_id)]
    )


@router.delete("/{session_id}", status_code=204, responses=responses(401, 403, 404))
def end_browser_session(session_id: str, principal: Admin, session: SessionDep) -> None:
    """Log a browser out, wherever it is."""
    logins.end_session(session, principal.project_id, session_id)
