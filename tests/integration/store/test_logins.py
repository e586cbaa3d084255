from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr

from store import keys, logins, projects
from store.database import Sessions
from store.errors import NotFound
from store.principal import Principal
from store.tables import BrowserSession

pytestmark = pytest.mark.integration

SECRET = SecretStr("a secret of this installation alone")
HOUR = timedelta(hours=1)

Open = Callable[[Principal], BrowserSession]


@pytest.fixture
def key(sessions: Sessions, project_id: str) -> Principal:
    with sessions.begin() as session:
        row = keys.create(session, project_id, "laptop", ["admin"], SECRET).row
        return Principal(project_id, frozenset(row.scopes), row.id)


@pytest.fixture
def let_in(sessions: Sessions) -> Open:
    """Lets a browser in by a link."""

    def enter(maker: Principal) -> BrowserSession:
        with sessions.begin() as session:
            link = logins.create_link(session, maker, SECRET, HOUR)
        with sessions.begin() as session:
            opened = logins.redeem_link(session, link, SECRET, HOUR)
        assert opened is not None
        return opened

    return enter


def who(sessions: Sessions, opened: BrowserSession) -> Principal | None:
    with sessions.begin() as session:
        return logins.visitor(session, opened.id)


def test_a_link_works_once_however_many_click(sessions: Sessions, key: Principal) -> None:
    with sessions.begin() as session:
        link = logins.create_link(session, key, SECRET, HOUR)

    def click(_: int) -> BrowserSession | None:
        with sessions.begin() as session:
            return logins.redeem_link(session, link, SECRET, HOUR)

    with ThreadPoolExecutor(8) as pool:
        let_in = [opened for opened in pool.map(click, range(8)) if opened is not None]
    assert [opened.project_id for opened in let_in] == [key.project_id]


def test_an_expired_link_lets_nobody_in(sessions: Sessions, key: Principal) -> None:
    with sessions.begin() as session:
        link = logins.create_link(session, key, SECRET, timedelta(0))
    with sessions.begin() as session:
        assert logins.redeem_link(session, link, SECRET, HOUR) is None


def test_a_browser_may_do_what_the_maker_of_its_link_may_and_no_more(
    sessions: Sessions, project_id: str, key: Principal, let_in: Open
) -> None:
    user = Principal(project_id, frozenset({"read"}), user="ada@example.org")
    for maker in (key, user):
        found = who(sessions, let_in(maker))
        assert found is not None
        assert (found.scopes, found.key_id, found.user) == (maker.scopes, maker.key_id, maker.user)


def test_a_session_ends_with_the_key_that_let_it_in(sessions: Sessions, key: Principal, let_in: Open) -> None:
    opened = let_in(key)
    with sessions.begin() as session:
        link = logins.create_link(session, key, SECRET, HOUR)
    with sessions.begin() as session:
        keys.revoke(session, key.project_id, str(key.key_id))
    assert who(sessions, opened) is None
    with sessions.begin() as session:
        assert logins.list_open(session, key.project_id) == []
        assert logins.redeem_link(session, link, SECRET, HOUR) is None


def test_a_session_is_over_by_time(sessions: Sessions, key: Principal) -> None:
    with sessions.begin() as session:
        opened = logins.open_session(session, key, timedelta(0))
    assert who(sessions, opened) is None


def test_a_session_is_ended_once_and_by_its_own_project_alone(sessions: Sessions, key: Principal, let_in: Open) -> None:
    opened = let_in(key)
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    with sessions.begin() as session, pytest.raises(NotFound):
        logins.end_session(session, other, opened.id)
    with sessions.begin() as session:
        assert [row.id for row in logins.list_open(session, key.project_id)] == [opened.id]
        logins.end_session(session, key.project_id, opened.id)
    assert who(sessions, opened) is None
    with sessions.begin() as session, pytest.raises(NotFound):
        logins.end_session(session, key.project_id, opened.id)


def test_links_and_sessions_are_dropped_when_they_are_useless(sessions: Sessions, key: Principal) -> None:
    with sessions.begin() as session:
        logins.create_link(session, key, SECRET, timedelta(0))
        gone = logins.open_session(session, key, timedelta(0)).id
        kept = logins.open_session(session, key, HOUR).id
    with sessions.begin() as session:
        logins.forget(session, timedelta(0))
        assert session.get(BrowserSession, gone) is None
        assert session.get(BrowserSession, kept) is not None
