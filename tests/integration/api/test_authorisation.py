"""Every route is called by four askers: without a key, with too small a scope, from another project, and rightly."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

from api.main import create_app
from api.sessions import SAFE_METHODS
from store import keys, logins, projects
from store.database import Sessions
from store.objects import ObjectStore
from store.principal import SCOPES, Principal
from store.settings import Settings
from store.tables import AuditEntry
from tests.integration.api import things
from tests.integration.api.authorisation import CALLS, PAGE, Call, Ids, page

Ask = Callable[[frozenset[str], str], TestClient]
HOW = "List it in tests/integration/api/authorisation.py, whose first lines say how."


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    return settings.model_copy(update={"redis_url": redis_url, "rate_writes": 0, "rate_reads": 0})


@pytest.fixture
def app(settings: Settings, sessions: Sessions) -> Iterator[FastAPI]:
    del sessions  # Empties the tables first.
    made = create_app(settings)
    made.state.service.live.close()  # Streams end after what they know, instead of waiting for more.
    yield made
    made.state.service.engine.dispose()


@pytest.fixture
def other(sessions: Sessions) -> str:
    with sessions.begin() as session:
        return projects.ensure(session, "other").id


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Mount):
            assert route.path == "/static", f"{route.path} is mounted. {HOW}"
        elif isinstance(route, Route):
            described = route.path.startswith("/v1/openapi")
            yield from (f"{method} {route.path}" for method in route.methods or () if method != "HEAD" or not described)
        else:
            yield from routes_of(route.original_router.routes)  # type: ignore[attr-defined]  # FastAPI's included ones


def test_every_route_is_listed_and_every_listed_route_is_there(app: FastAPI) -> None:
    there = set(routes_of(app.routes))
    listed = set(CALLS) - {"GET /static/icon.svg"}
    assert len(there) > 60
    assert there - listed == set(), HOW
    assert listed - there == set()


class Asker:
    """Somebody with these scopes in a project: with a key for the API, with a browser's session for its pages."""

    def __init__(
        self, app: FastAPI, sessions: Sessions, settings: Settings, project_id: str, scopes: Iterable[str]
    ) -> None:
        self.api = TestClient(app, base_url="http://localhost", follow_redirects=False)
        self.browser = TestClient(app, base_url="http://localhost", follow_redirects=False)
        self.browser.headers["sec-fetch-site"] = "same-origin"
        guest = Principal(project_id, frozenset(scopes))
        with sessions.begin() as session:
            token = keys.create(session, project_id, "asker", guest.scopes, settings.secret_key).token  # type: ignore[arg-type]  # also none at all
            link = logins.create_link(session, guest, settings.secret_key, timedelta(hours=1))
        self.api.headers["authorization"] = f"Bearer {token}"
        assert self.browser.get("/login", params={"token": link}).status_code == 303

    def ask(self, route: str, call: Call, ids: Ids) -> httpx.Response:
        """Send the call, rightly but for who asks."""
        return send(self.api if is_api(route) else self.browser, route, call, ids)


def is_api(route: str) -> bool:
    return route.partition(" ")[2].startswith("/v1/")


def send(client: TestClient, route: str, call: Call, ids: Ids) -> httpx.Response:
    method, _, path = route.partition(" ")
    try:
        url = path.format_map(ids)
    except KeyError as unknown:
        pytest.fail(f"{route}: nothing is made for {unknown}; make one in tests/integration/api/things.py")
    body = call.json(ids) if call.json else None
    content = call.data() if call.data else None
    answer: httpx.Response = client.request(method, f"{url}?{call.query.format_map(ids)}", json=body, content=content)
    return answer


def test_every_route_answers_as_it_is_listed(
    app: FastAPI, sessions: Sessions, settings: Settings, objects: ObjectStore, project_id: str, other: str
) -> None:
    nobody = TestClient(app, base_url="http://localhost", follow_redirects=False)
    lesser = {needs: list(SCOPES[: SCOPES.index(needs)][-1:]) for needs in SCOPES}
    too_small = {needs: Asker(app, sessions, settings, project_id, lesser[needs]) for needs in SCOPES}
    foreign = {needs: Asker(app, sessions, settings, other, [needs]) for needs in SCOPES}
    right = {needs: Asker(app, sessions, settings, project_id, [needs]) for needs in SCOPES}
    wrong: list[str] = []

    def expect(route: str, who: str, answer: httpx.Response, status: int) -> None:
        if answer.status_code != status:
            wrong.append(f"{route}, {who}: {answer.status_code} instead of {status}: {answer.text[:200]}")

    for route, call in CALLS.items():
        with sessions.begin() as session:
            ids = things.make(session, objects, settings, project_id)
        if call.needs == "nothing":
            expect(route, "no key", send(nobody, route, call, ids), call.right)
            continue
        expect(route, "no key", send(nobody, route, call, ids), 401)
        expect(route, "wrong scope", too_small[call.needs].ask(route, call, ids), 403)
        theirs = foreign[call.needs].ask(route, call, ids)
        expect(route, "other project", theirs, call.right if call.foreign is None else call.foreign)
        given = route.format_map(ids) + call.query.format_map(ids) + (str(call.json(ids)) if call.json else "")
        if call.needs != "operator" and any(
            one in theirs.text for one in ids.values() if len(one) > 10 and one not in given
        ):
            wrong.append(f"{route}, other project: names what is ours: {theirs.text[:200]}")
        answer = right[call.needs].ask(route, call, ids)
        expect(route, "right", answer, call.right)
        with sessions.begin() as session:
            of_request = AuditEntry.request_id == answer.headers["x-request-id"]
            written = tuple(
                session.scalars(select(AuditEntry.action).where(of_request).order_by(AuditEntry.created_at))
            )
        if written != call.writes:
            wrong.append(f"{route} writes {written} into the audit log, not {call.writes}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "sent",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}, {}],
    ids=["cross-site", "same-site", "foreign-origin", "from-nowhere"],
)
def test_no_route_that_changes_something_listens_to_another_site(
    app: FastAPI, sessions: Sessions, settings: Settings, objects: ObjectStore, project_id: str, sent: dict[str, str]
) -> None:
    asker = Asker(app, sessions, settings, project_id, SCOPES)
    del asker.browser.headers["sec-fetch-site"]
    asker.browser.headers.update(sent)
    with sessions.begin() as session:
        ids = things.make(session, objects, settings, project_id)
    # As the application has them, listed or not.
    unsafe = [route for route in routes_of(app.routes) if route.split()[0] not in SAFE_METHODS]
    assert len(unsafe) > 40
    answers = {route: send(asker.browser, route, CALLS.get(route, Call("submit", 200)), ids) for route in unsafe}
    listening = {route: answer.status_code for route, answer in answers.items() if answer.status_code != 403}
    assert listening == {}
    assert all("did not come from a page of this service" in answer.text for answer in answers.values())


def test_what_changes_something_is_audited_or_changes_nothing_when_it_is_right() -> None:
    silent = {
        route
        for route, call in CALLS.items()
        if route[:4] not in {"GET ", "HEAD"} and call.right < 400 and not call.writes
    }
    assert silent == {
        "POST /logout",  # Without a session there is none to end.
        "PUT /v1/uploads/{upload_id}/parts/{number}",  # The upload itself is in the book.
        "POST /v1/groups/{group_id}/cancel",  # All its jobs are over.
        "POST /groups/{group_id}/cancel",  # Likewise.
        "POST /jobs/new/yaml",  # Shows a spec in another way.
        "POST /jobs/new/spec",  # Likewise.
    }


def test_the_table_of_the_documentation_is_this_one() -> None:
    assert page() == PAGE.read_text(), "run: python -m tests.integration.api.authorisation"
