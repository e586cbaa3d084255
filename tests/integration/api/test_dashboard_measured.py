"""The pages of what a job measured: whose they are, and what a file that cannot be read does to them."""

import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.service import Service
from store import artifacts, logins, projects
from store.artifacts import NewArtifact
from store.database import Sessions
from store.leases import Claim
from store.principal import SCOPES, Principal
from store.settings import Settings
from store.tables import Job
from tests.browser import measurements
from tests.integration.api import things
from tests.integration.api.conftest import HOUR
from tests.integration.api.scene import Scene, name

FRAGMENTS = (
    "/jobs/{job}",
    "/jobs/{job}/top",
    "/jobs/{job}/rest",
    "/jobs/{job}/log",
    "/jobs/{job}/evaluation/curve?class=cell",
    "/jobs/new?clone={job}",
    "/compare?job={job}&job={job}",
    "/jobs/{job}/metrics.csv",
    "/groups/new?base={job}",
    "/jobs/list",
)
PAGES = ("pictures", "evaluation", "downloads")


@pytest.fixture
def publish(
    app: FastAPI, sessions: Sessions, make_job: Callable[[], Job], claim: Callable[[Job], Claim]
) -> Callable[..., str]:
    """Publishes a file of a job; returns the job's id."""
    service: Service = app.state.service

    def make(name: str, content: bytes) -> str:
        job = make_job()
        stored = service.objects.put(f"jobs/{job.id}/{name}", [content])
        new = NewArtifact(name, "json", name, stored.key, "application/json", stored.size, stored.sha256)
        with sessions.begin() as session:
            artifacts.publish(session, claim(job).lease, new)
        return job.id

    return make


@pytest.fixture
def foreigner(app: FastAPI, sessions: Sessions, settings: Settings) -> TestClient:
    """A browser of another project."""
    with sessions.begin() as session:
        project = projects.ensure(session, "another").id
        token = logins.create_link(session, Principal(project, frozenset(SCOPES)), settings.secret_key, HOUR)
    browser = TestClient(app, base_url="http://localhost", follow_redirects=False)
    assert browser.get("/login", params={"token": token}).status_code == 303
    return browser


def test_an_evaluation_is_shown_with_every_name_escaped(visitor: TestClient, publish: Callable[..., str]) -> None:
    job = publish("evaluation.json", json.dumps(measurements.evaluation()).encode())
    text = visitor.get(f"/jobs/{job}/evaluation").text
    assert "Where the teacher helped" in text
    assert "<img" not in text
    assert "&lt;img" in text
    curve = visitor.get(f"/jobs/{job}/evaluation/curve", params={"class": "cell"}).json()
    assert [one["role"] for one in curve["curves"]] == ["teacher", "plain", "imitated"]


def test_another_project_sees_none_of_it(
    foreigner: TestClient, stranger: TestClient, publish: Callable[..., str]
) -> None:
    job = publish("evaluation.json", json.dumps(measurements.evaluation()).encode())
    for page in PAGES:
        assert foreigner.get(f"/jobs/{job}/{page}").status_code == 404
        assert stranger.get(f"/jobs/{job}/{page}").status_code == 401
    assert foreigner.get(f"/jobs/{job}/evaluation/curve?class=cell").status_code == 404
    assert stranger.get(f"/jobs/{job}/evaluation/curve?class=cell").status_code == 401


@pytest.mark.parametrize("content", [b"", b'{"runs": []}', b"[1, 2", b'{"runs": [{"role": "king"}]}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_leaves_a_page_that_says_so(
    visitor: TestClient, publish: Callable[..., str], content: bytes
) -> None:
    job = publish("evaluation.json", content)
    answer = visitor.get(f"/jobs/{job}/evaluation")
    assert answer.status_code == 200
    assert "Measured at the end" in answer.text
    assert visitor.get(f"/jobs/{job}/evaluation/curve?class=cell").json() == {"curves": []}


def test_the_album_is_served_to_its_own_project_alone(
    visitor: TestClient, foreigner: TestClient, publish: Callable[..., str]
) -> None:
    job = publish("pictures.json", json.dumps(measurements.album()).encode())
    page = visitor.get(f"/jobs/{job}/pictures").text
    address = page.split('data-album="')[1].split('"')[0]
    assert visitor.get(address).json()["version"] == 1
    assert foreigner.get(address).status_code == 404


def test_a_job_that_only_measures_has_its_page_and_is_compared_with_nothing(
    visitor: TestClient, sessions: Sessions, app: FastAPI, settings: Settings, project_id: str
) -> None:
    service: Service = app.state.service
    with sessions.begin() as session:
        ids = things.make(session, service.objects, settings, project_id)
    job = ids["evaluation_id"]
    for page in ("", *(f"/{part}" for part in PAGES)):
        assert visitor.get(f"/jobs/{job}{page}").status_code == 200
    assert f"There is no job {job}" in visitor.get(f"/compare?job={job}&job={ids['job_id']}").text


@pytest.mark.parametrize("page", [*FRAGMENTS, *(f"/jobs/{{job}}/{page}" for page in PAGES)])
def test_every_page_and_fragment_of_an_evaluation_answers(page: str, visitor: TestClient, scene: Scene) -> None:
    answer = visitor.get(page.format(job=scene.ids[name("job", "Measured")]))
    assert answer.status_code in {200, 303, 404}, answer.text


@pytest.mark.parametrize("fragment", ["top", "rest", "log"])
def test_a_fragment_of_no_job_is_not_found(fragment: str, visitor: TestClient) -> None:
    assert visitor.get(f"/jobs/job_none/{fragment}").status_code == 404
