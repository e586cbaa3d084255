"""Keys and browser sessions: made, rotated, revoked and ended. A key's token is on one answer, and never again."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.dashboard.access import Ruling
from api.dashboard.render import page
from api.dashboard.views.keys import LASTING, keys_view
from api.deps import SessionDep, SettingsDep
from store import keys, logins
from store.keys import NewKey
from store.principal import SCOPES, Principal

router = APIRouter(include_in_schema=False, prefix="/keys")

MOST_NAME = 200
# How long a key that was rotated works beside its successor.
OVERLAP = timedelta(hours=24)


@router.get("")
def show_keys(visitor: Ruling, session: SessionDep, revoked: Annotated[str, Query(max_length=10)] = "") -> Response:
    """The keys that work, and the browsers that are in; those that were revoked only when asked for."""
    return _page(session, visitor, revoked=revoked == "on")


@router.post("")
def create_key(
    visitor: Ruling,
    session: SessionDep,
    settings: SettingsDep,
    name: Annotated[str, Form(max_length=1000)] = "",
    scope: Annotated[str, Form(max_length=20)] = "read",
    lasting: Annotated[str, Form(max_length=10)] = "90",
) -> Response:
    """Make a key and show its token this once. Raises ScopeNotHeld."""
    name = name.strip()
    if not name or len(name) > MOST_NAME or scope not in SCOPES or lasting not in LASTING:
        return _page(session, visitor, status=422, wrong=f"Give it a name of 1 to {MOST_NAME} characters.")
    keys.require_scopes(visitor, [scope])
    days = LASTING[lasting]
    ends = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    made = keys.create(session, visitor.project_id, name, [scope], settings.secret_key, expires_at=ends)
    return _page(session, visitor, made=made)


@router.post("/{key_id}/rotate")
def rotate_key(key_id: str, visitor: Ruling, session: SessionDep, settings: SettingsDep) -> Response:
    """Make a successor and show its token this once. Raises NotFound, ScopeNotHeld."""
    keys.require_scopes(visitor, keys.get(session, visitor.project_id, key_id).scopes)
    made = keys.rotate(session, visitor.project_id, key_id, settings.secret_key, OVERLAP)
    return _page(session, visitor, made=made, rotated=True)


@router.post("/{key_id}/revoke")
def revoke_key(key_id: str, visitor: Ruling, session: SessionDep) -> Response:
    """Make a key useless from now on. Raises NotFound."""
    keys.revoke(session, visitor.project_id, key_id)
    return RedirectResponse("/keys", 303)


@router.post("/sessions/{session_id}/end")
def end_session(session_id: str, visitor: Ruling, session: SessionDep) -> Response:
    """Log a browser out, wherever it is. Raises NotFound."""
    logins.end_session(session, visitor.project_id, session_id)
    return RedirectResponse("/keys", 303)


def _page(
    session: Session,
    visitor: Principal,
    *,
    status: int = 200,
    revoked: bool = False,
    made: NewKey | None = None,
    rotated: bool = False,
    wrong: str = "",
) -> Response:
    view = keys_view(
        keys.list_all(session, visitor.project_id, revoked=True),
        logins.list_open(session, visitor.project_id),
        may=[scope for scope in SCOPES if visitor.may(scope)],
        own_session=visitor.session_id,
        revoked=revoked,
        now=datetime.now(UTC),
    )
    token = made.token if made else None
    name = made.row.name if made else ""
    return page("keys.html", status, view=view, token=token, token_name=name, rotated=rotated, wrong=wrong)
