"""The way out to the login provider, and the way back."""

from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from api.dashboard.access import refuse, to_jobs
from api.deps import ServiceDep, count_stranger
from api.oidc import Errand, LoginRefused, Provider
from api.problems import Problem
from api.sessions import forget_errand, open_session, read_errand, remember_errand
from store import logins, projects
from store.principal import Principal

log = structlog.get_logger("api.access")
router = APIRouter(include_in_schema=False)


def get_provider(service: ServiceDep) -> Provider:
    """The configured provider. Raises Problem 404 where there is none."""
    if service.provider is None:
        raise Problem(404, "not_found", "This service has no login provider.", hint="Use a one-time link: /login.")
    return service.provider


ProviderDep = Annotated[Provider, Depends(get_provider)]


@router.get("/login/oidc")
def begin(service: ServiceDep, provider: ProviderDep) -> Response:
    """Send the browser to the provider, with a cookie by which it is known when it comes back."""
    errand = Errand.fresh()
    try:
        response = RedirectResponse(provider.address(errand), 303)
    except LoginRefused as error:
        return _refused(service, error, 503)
    remember_errand(response, service.settings, errand)
    return response


@router.get("/login/oidc/callback")
def come_back(request: Request, service: ServiceDep, provider: ProviderDep) -> Response:
    """Let in who comes back from the provider with a good answer."""
    errand = read_errand(request, service.settings)
    if errand is None:
        count_stranger(request, service)
        return _refused(service, LoginRefused("This login was not begun here, or long ago: begin it again."), 403)
    try:
        guest = provider.guest(dict(request.query_params), errand)
    except LoginRefused as error:
        count_stranger(request, service)
        response = _refused(service, error, 403)
    else:
        with service.sessions.begin() as session:
            project = projects.ensure(session, guest.project)
            known = Principal(project.id, frozenset({guest.scope}), user=guest.user)
            opened = logins.open_session(session, known, timedelta(hours=service.settings.session_hours))
        response = to_jobs()
        open_session(response, service.settings, opened.id)
        log.info("session_opened", project=opened.project_id, by="oidc")
    forget_errand(response, service.settings)  # It is good for one way.
    return response


def _refused(service: ServiceDep, error: LoginRefused, status: int) -> Response:
    log.warning("login_refused", reason=error.reason)
    return refuse(service.settings, status, error.message)
