"""Coming in by a one-time link, going out, and the page for those who have no link."""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.dashboard.render import page
from api.deps import ServiceDep, Visitor, count_stranger, require_scope
from api.sessions import close_session, open_session
from store import logins
from store.errors import NotFound
from store.principal import Principal
from store.settings import Settings

log = structlog.get_logger("api.access")
router = APIRouter(include_in_schema=False)


class NoSession(Exception):
    """A page was asked for without a session."""


def require_visitor(visitor: Visitor) -> Principal:
    """The session's holder, who may read. Raises NoSession, which is answered by a page that says how to get in."""
    if visitor is None:
        raise NoSession
    return require_scope(visitor, "read")


Resident = Annotated[Principal, Depends(require_visitor)]


def require_submitter(resident: Resident) -> Principal:
    """A session that may change something. Raises Problem 403."""
    return require_scope(resident, "submit")


def require_admin(resident: Resident) -> Principal:
    """A session that may rule the project: keys, sessions, limits. Raises Problem 403."""
    return require_scope(resident, "admin")


Submitting = Annotated[Principal, Depends(require_submitter)]
Ruling = Annotated[Principal, Depends(require_admin)]


@router.get("/login")
def log_in(
    request: Request, service: ServiceDep, visitor: Visitor, token: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Use a one-time link up and open a session."""
    lasting = timedelta(hours=service.settings.session_hours)
    with service.sessions.begin() as session:
        opened = logins.redeem_link(session, token, service.settings.secret_key, lasting) if token else None
    if opened is None:
        if visitor is not None:  # The same link again, by a reload: the session is what matters.
            return to_jobs()
        if token:
            count_stranger(request, service)
            return refuse(service.settings, 403, "This link was used or is too old")
        return _door(service.settings, 401)
    response = to_jobs()
    open_session(response, service.settings, opened.id)
    log.info("session_opened", project=opened.project_id)
    return response


@router.post("/logout")
def log_out(service: ServiceDep, visitor: Visitor) -> Response:
    """End the session. Asking for the visitor refuses requests from other sites."""
    if visitor is not None and visitor.session_id is not None:
        with service.sessions.begin() as session, suppress(NotFound):  # Of two at once, one ends it.
            logins.end_session(session, visitor.project_id, visitor.session_id)
    response = RedirectResponse("/login", 303)
    close_session(response, service.settings)
    return response


def on_no_session(request: Request, _error: Exception) -> Response:
    """The door instead of the page; a fragment's request is told to load the whole page."""
    headers = {"hx-refresh": "true"} if "hx-request" in request.headers else {}
    return _door(request.app.state.service.settings, 401, headers)


def to_jobs() -> Response:
    """Where everybody begins."""
    return RedirectResponse("/jobs", 303)


def refuse(settings: Settings, status: int, trouble: str) -> Response:
    """The door, and why it stays shut."""
    return _door(settings, status, trouble=trouble)


def _door(settings: Settings, status: int, headers: dict[str, str] | None = None, *, trouble: str = "") -> Response:
    provider = settings.oidc_name if settings.oidc_issuer else ""
    public_url = settings.public_url.rstrip("/")
    return page("door.html", status, headers, trouble=trouble, provider=provider, public_url=public_url)
