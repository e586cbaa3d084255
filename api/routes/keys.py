"""/v1/keys: make, list, rotate and revoke API keys of the project."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Query

from api.deps import Admin, SessionDep, SettingsDep
from api.problems import responses
from api.schemas.keys import KeyIn, KeyOut, KeysOut, NewKeyOut, RotationIn
from store import keys
from store.keys import NewKey

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.post("", status_code=201, response_model=NewKeyOut, responses=responses(401, 403, 422, "scope_not_held"))
def create_key(key: KeyIn, principal: Admin, session: SessionDep, settings: SettingsDep) -> NewKeyOut:
    """Make a key. Its token is in this answer and never shown again. A key gives no scope that its maker lacks."""
    keys.require_scopes(principal, key.scopes)
    new = keys.create(
        session, principal.project_id, key.name, key.scopes, settings.secret_key, expires_at=key.expires_at
    )
    return shown_once(new)


@router.get("", response_model=KeysOut, responses=responses(401, 403))
def list_keys(
    principal: Admin,
    session: SessionDep,
    revoked: Annotated[bool, Query(description="With those that were revoked.")] = False,
) -> KeysOut:
    """The project's keys, newest first."""
    return KeysOut(data=[KeyOut.of(row) for row in keys.list_all(session, principal.project_id, revoked=revoked)])


@router.get("/{key_id}", response_model=KeyOut, responses=responses(401, 403, 404))
def get_key(key_id: str, principal: Admin, session: SessionDep) -> KeyOut:
    """One key: what it may do, until when, and when it was used last (to the minute)."""
    return KeyOut.of(keys.get(session, principal.project_id, key_id))


@router.post("/{key_id}/rotate", status_code=201, response_model=NewKeyOut, responses=responses(401, 403, 404, 422))
def rotate_key(
    key_id: str,
    principal: Admin,
    session: SessionDep,
    settings: SettingsDep,
    rotation: Annotated[RotationIn | None, Body()] = None,
) -> NewKeyOut:
    """Make a key with the same name and scopes, while the old one works on for a while: swap it in without a gap."""
    overlap = timedelta(hours=(rotation or RotationIn()).overlap_hours)
    keys.require_scopes(principal, keys.get(session, principal.project_id, key_id).scopes)
    return shown_once(keys.rotate(session, principal.project_id, key_id, settings.secret_key, overlap))


@router.delete("/{key_id}", status_code=204, responses=responses(401, 403, 404))
def revoke_key(key_id: str, principal: Admin, session: SessionDep) -> None:
    """Make a key useless from now on, and end the browser sessions that it opened."""
    keys.revoke(session, principal.project_id, key_id)


def shown_once(new: NewKey) -> NewKeyOut:
    """A key just made, with its token."""
    return NewKeyOut(**KeyOut.of(new.row).model_dump(), token=new.token)
