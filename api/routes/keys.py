"""/v1/keys: make, list and revoke API keys of the project."""

from fastapi import APIRouter

from api.deps import Admin, SessionDep, SettingsDep
from api.problems import responses
from api.schemas.keys import KeyIn, KeyOut, KeysOut, NewKeyOut
from store import keys

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.post("", status_code=201, response_model=NewKeyOut, responses=responses(401, 403, 422))
def create_key(key: KeyIn, principal: Admin, session: SessionDep, settings: SettingsDep) -> NewKeyOut:
    """Make a key. Its token is in this answer and never shown again."""
    new = keys.create(
        session, principal.project_id, key.name, key.scopes, settings.secret_key, expires_at=key.expires_at
    )
    return NewKeyOut(**KeyOut.of(new.row).model_dump(), token=new.token)


@router.get("", response_model=KeysOut, responses=responses(401, 403))
def list_keys(principal: Admin, session: SessionDep) -> KeysOut:
    """The keys that are not revoked, newest first."""
    return KeysOut(data=[KeyOut.of(row) for row in keys.list_all(session, principal.project_id)])


@router.delete("/{key_id}", status_code=204, responses=responses(401, 403, 404))
def revoke_key(key_id: str, principal: Admin, session: SessionDep) -> None:
    """Make a key useless from now on."""
    keys.revoke(session, principal.project_id, key_id)
