"""Where there is no page: HTML for a browser, a problem document for everybody else."""

import pytest
from starlette.testclient import TestClient

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_at_an_unknown_address_gets_a_page(client: TestClient) -> None:
    answer = client.get("/jbos", headers=BROWSER)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at /jbos." in answer.text
    assert 'href="/jobs"' in answer.text
    assert answer.headers["x-request-id"] in answer.text


@pytest.mark.parametrize(
    ("path", "accept"), [("/jbos", "*/*"), ("/jbos", "application/json"), ("/v1/jbos", BROWSER["accept"])]
)
def test_programs_and_everything_below_v1_get_a_problem_document(client: TestClient, path: str, accept: str) -> None:
    answer = client.get(path, headers={"accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_what_a_browser_may_not_do_is_said_on_a_page_too(client: TestClient) -> None:
    answer = client.put("/jobs", headers=BROWSER)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert "PUT is not possible on /jobs" in answer.text


def test_an_address_is_escaped_on_the_page(client: TestClient) -> None:
    assert "<img" not in client.get("/<img src=x>", headers=BROWSER).text


def test_a_missing_file_of_the_dashboard_is_no_page_of_its_own(client: TestClient) -> None:
    assert client.get("/static/absent.js").status_code == 404
