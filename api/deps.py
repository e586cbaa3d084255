"""The few things a request may be given: a session, who is asking, the objects, the settings.

`SessionDep` commits when the route's function has returned and before the answer goes out (`scope="function"`): a
client that reads 201 can rely on it.
"""

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.problems import Problem
from api.rate_limits import Policy
from api.service import Service
from api.sessions import SAFE_METHODS, from_same_origin, read_session
from store import audit, keys, logins
from store.objects import ObjectStore
from store.principal import Principal, Scope
from store.settings import Settings

_COUNTED: dict[Policy, str] = {
    "read": "requests that read",
    "write": "requests that change something",
    "stranger": "requests with a wrong key or login from this address",
}


def get_service(request: Request) -> Service:
    """What the process holds."""
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(get_service)]


def get_settings(service: ServiceDep) -> Settings:
    """The settings this application was made with."""
    return service.settings


def get_objects(service: ServiceDep) -> ObjectStore:
    """The object store."""
    return service.objects


def get_session(service: ServiceDep) -> Iterator[Session]:
    """One transaction: committed when the route returns, rolled back when it raises."""
    with service.sessions.begin() as session:
        yield session


SettingsDep = Annotated[Settings, Depends(get_settings)]
ObjectsDep = Annotated[ObjectStore, Depends(get_objects)]
SessionDep = Annotated[Session, Depends(get_session, scope="function")]


def get_principal(request: Request, service: ServiceDep) -> Principal:
    """Who is asking: the holder of an API key, or of a dashboard session. Raises Problem 401 or 403.

    Its transaction is its own and is over when the route begins, so that no route waits with two connections.
    """
    secret = service.settings.secret_key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        with service.sessions.begin() as session:
            principal = keys.verify(session, token.strip(), secret) if scheme.lower() == "bearer" else None
        if principal is None:
            count_stranger(request, service)
            hint = "Ask whoever runs the service for a new one; `fgfi` sends the key in FGFI_API_KEY."
            raise _not_authenticated("This API key is not valid: mistyped, expired or revoked.", hint)
        _admit(request, service, principal)
        return principal
    visitor = get_visitor(request, service)
    if visitor is None:
        raise _not_authenticated("Send an API key as `Authorization: Bearer fgfi_...`.")
    return visitor


def get_visitor(request: Request, service: ServiceDep) -> Principal | None:
    """The holder of a dashboard session, None for a stranger. Raises Problem 403 for a request from another site."""
    visit = read_session(request, service.settings)
    if visit is None:
        return None
    if not from_same_origin(request):
        raise Problem(403, "cross_site", "This request changes something and did not come from a page of this service.")
    with service.sessions.begin() as session:
        principal = logins.visitor(session, visit.session_id)
    if principal is not None:
        _admit(request, service, principal)
    return principal


def require_scope(principal: Principal, scope: Scope) -> Principal:
    """The principal, if it may do this. Raises Problem 403."""
    if not principal.may(scope):
        granted = ", ".join(sorted(principal.scopes)) or "none"
        holder = "the key" if principal.session_id is None else "your session"
        hint = "Ask whoever runs the project for a key with more scopes."
        raise Problem(403, "scope_missing", f"This needs the scope '{scope}'; {holder} has: {granted}.", hint=hint)
    return principal


def requires(scope: Scope) -> Callable[[Principal], Principal]:
    """A dependency: the principal, if it may do this."""

    def check(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
        return require_scope(principal, scope)

    return check


Reader = Annotated[Principal, Depends(requires("read"))]
Submitter = Annotated[Principal, Depends(requires("submit"))]
Admin = Annotated[Principal, Depends(requires("admin"))]
Operator = Annotated[Principal, Depends(requires("operator"))]
Visitor = Annotated[Principal | None, Depends(get_visitor)]


def _admit(request: Request, service: Service, principal: Principal) -> None:
    """Count the request of somebody known; what it changes is their doing. Raises Problem 429."""
    caller = audit.CALLER.get()
    if caller is not None:
        caller.principal = principal
    who = principal.session_id or principal.key_id or principal.project_id
    _count(request, service, "read" if request.method in SAFE_METHODS else "write", who)


def count_stranger(request: Request, service: Service) -> None:
    """Count a request with a wrong key or login by its address. Raises Problem 429."""
    _count(request, service, "stranger", request.client.host if request.client else "nowhere")


def _count(request: Request, service: Service, policy: Policy, who: str) -> None:
    verdict = service.rates.take(policy, who)
    if verdict is None:
        return
    request.scope.setdefault("fgfi.headers", {}).update(verdict.headers())
    if not verdict.allowed:
        detail = f"More than {verdict.quota} {_COUNTED[policy]} a minute."
        hint = f"Wait {verdict.headers()['retry-after']} s; Retry-After says so to programs."
        raise Problem(429, "too_many_requests", detail, hint=hint)


def _not_authenticated(detail: str, hint: str = "") -> Problem:
    return Problem(401, "not_authenticated", detail, hint=hint, headers={"WWW-Authenticate": "Bearer"})
