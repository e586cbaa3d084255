from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from store import keys, projects
from store.database import Sessions
from store.errors import NotFound, ScopeNotHeld
from store.principal import Principal
from store.tables import ApiKey

pytestmark = pytest.mark.integration

SECRET = SecretStr("a secret of this installation alone")


@pytest.fixture
def token(sessions: Sessions, project_id: str) -> str:
    with sessions.begin() as session:
        return keys.create(session, project_id, "laptop", ["submit"], SECRET).token


def who(sessions: Sessions, token: str, secret: SecretStr = SECRET) -> Principal | None:
    with sessions.begin() as session:
        return keys.verify(session, token, secret)


def test_a_key_names_its_project_and_scopes(sessions: Sessions, token: str, project_id: str) -> None:
    principal = who(sessions, token)
    assert principal is not None
    assert (principal.project_id, principal.scopes) == (project_id, frozenset({"submit"}))


def test_a_key_under_another_secret_is_nobodys(sessions: Sessions, token: str) -> None:
    assert who(sessions, token, SecretStr("the secret of another installation")) is None


def test_the_database_does_not_hold_the_key(sessions: Sessions, token: str) -> None:
    with sessions.begin() as session:
        (row,) = session.execute(text("SELECT api_keys::text FROM api_keys")).scalars()
    assert token not in row
    assert token[5:37] not in row


def test_an_unknown_key_is_nobodys(sessions: Sessions, token: str) -> None:
    assert token
    assert who(sessions, keys.make_token()) is None


def test_an_expired_key_is_nobodys(sessions: Sessions, project_id: str) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    with sessions.begin() as session:
        made = keys.create(session, project_id, "old", ["read"], SECRET, expires_at=past)
    assert who(sessions, made.token) is None


def test_a_revoked_key_is_nobodys_and_not_listed(sessions: Sessions, token: str, project_id: str) -> None:
    principal = who(sessions, token)
    assert principal is not None
    assert principal.key_id is not None
    with sessions.begin() as session:
        keys.revoke(session, project_id, principal.key_id)
        assert keys.list_all(session, project_id) == []
    assert who(sessions, token) is None


def test_another_projects_key_cannot_be_revoked(sessions: Sessions, token: str) -> None:
    principal = who(sessions, token)
    assert principal is not None
    assert principal.key_id is not None
    with sessions.begin() as session:
        other = projects.ensure(session, "other")
        with pytest.raises(NotFound):
            keys.revoke(session, other.id, principal.key_id)
    assert who(sessions, token) is not None


def test_the_last_use_is_noted(sessions: Sessions, token: str) -> None:
    who(sessions, token)
    with sessions.begin() as session:
        assert session.scalars(select(ApiKey.last_used_at)).one() is not None


def test_a_key_gives_no_scope_that_its_maker_lacks(project_id: str) -> None:
    admin = Principal(project_id, frozenset({"admin"}), "key_1")
    keys.require_scopes(admin, ["read", "submit", "admin"])
    with pytest.raises(ScopeNotHeld, match="'operator'"):
        keys.require_scopes(admin, ["read", "operator"])


def test_a_rotated_key_works_beside_its_successor_for_a_while(sessions: Sessions, project_id: str) -> None:
    soon = datetime.now(UTC) + timedelta(days=90)
    with sessions.begin() as session:
        old = keys.create(session, project_id, "ci", ["submit"], SECRET, expires_at=soon)
    with sessions.begin() as session:
        new = keys.rotate(session, project_id, old.row.id, SECRET, timedelta(hours=1))
    found = who(sessions, new.token)
    assert found is not None
    assert (found.scopes, new.row.name) == (frozenset({"submit"}), "ci")
    assert new.row.expires_at is not None
    assert abs(new.row.expires_at - new.row.created_at - timedelta(days=90)) < timedelta(minutes=1)
    assert who(sessions, old.token) is not None
    with sessions.begin() as session:
        ends = keys.get(session, project_id, old.row.id).expires_at
    assert ends is not None
    assert ends < soon - timedelta(days=80)


def test_a_key_rotated_without_an_overlap_is_revoked(sessions: Sessions, project_id: str, token: str) -> None:
    principal = who(sessions, token)
    assert principal is not None
    assert principal.key_id is not None
    with sessions.begin() as session:
        keys.rotate(session, project_id, principal.key_id, SECRET, timedelta(0))
    assert who(sessions, token) is None
    with sessions.begin() as session, pytest.raises(NotFound):
        keys.rotate(session, project_id, principal.key_id, SECRET, timedelta(0))
