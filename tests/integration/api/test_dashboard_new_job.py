"""The form of a new job without a browser: what it begins with, and its file."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec
from store import datasets, jobs, projects
from store.database import Sessions
from store.tables import Job

OURS = {"sec-fetch-site": "same-origin"}


def begun(text: str) -> dict[str, Any]:
    """The spec that the form begins with."""
    found = re.search(r'data-spec="([^"]*)"', text)
    assert found is not None
    spec: dict[str, Any] = json.loads(html.unescape(found[1]))
    return spec


def test_a_clone_begins_with_the_other_s_spec(visitor: TestClient, make_job: Callable[[], Job]) -> None:
    job = make_job()
    spec = begun(visitor.get("/jobs/new", params={"clone": job.id}).text)
    assert spec["name"] == f"{job.name}, again"
    again = JobSpec.model_validate_json(json.dumps(spec)).model_dump(mode="json")
    assert {**again, "name": job.name} == job.spec


def test_the_only_data_set_is_chosen_already(
    visitor: TestClient, sessions: Sessions, project_id: str, make_job: Callable[[], Job]
) -> None:
    job = make_job()
    assert begun(visitor.get("/jobs/new").text)["dataset"]["id"] == job.dataset_id
    with sessions.begin() as session:
        datasets.begin(session, project_id, "second").state = "ready"
    assert begun(visitor.get("/jobs/new").text)["dataset"] == {}


def test_another_projects_job_cannot_be_cloned(
    visitor: TestClient, sessions: Sessions, make_job: Callable[[], Job]
) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.get(session, job.project_id, job.id).project_id = projects.ensure(session, "other").id
    assert visitor.get("/jobs/new", params={"clone": job.id}).status_code == 404


def test_the_file_and_the_spec_become_one_another(visitor: TestClient) -> None:
    spec = {"name": "cells: 'odd'", "teacher": {"detector": "shuffledet-1x"}, "seeds": [0, 1], "metadata": {"a": True}}
    text = visitor.post("/jobs/new/yaml", json=spec, headers=OURS).text
    assert visitor.post("/jobs/new/spec", content=text, headers=OURS).json() == spec


def test_a_line_that_is_no_yaml_is_named(visitor: TestClient) -> None:
    answer = visitor.post("/jobs/new/spec", content="name: x\nteacher: {detector: [", headers=OURS)
    assert answer.status_code == 422
    assert "line 2" in answer.json()["detail"]


def test_the_file_s_calls_are_for_our_own_pages_alone(visitor: TestClient, stranger: TestClient) -> None:
    for path in ("/jobs/new/yaml", "/jobs/new/spec"):
        assert visitor.post(path, json={}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert stranger.post(path, json={}, headers=OURS).status_code == 401
