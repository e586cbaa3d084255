"""The pages without a browser: what is in their HTML, and whose."""

import csv
import io
import math
from collections.abc import Callable

from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec
from store import attempts, jobs, projects
from store.attempts import NewMetric, Report
from store.database import Sessions
from store.leases import Claim
from store.tables import Job

HOSTILE = '"><img src=x onerror=alert(1)>'
OURS = {"sec-fetch-site": "same-origin"}


def named(sessions: Sessions, project_id: str, spec: JobSpec, name: str) -> Job:
    with sessions.begin() as session:
        return jobs.create(session, project_id, spec.model_copy(update={"name": name})).job


def test_a_hostile_name_is_escaped_wherever_it_stands(
    visitor: TestClient, sessions: Sessions, project_id: str, job_spec: JobSpec
) -> None:
    job = named(sessions, project_id, job_spec, HOSTILE)
    for path in ("/jobs", f"/jobs/{job.id}", f"/jobs?q={HOSTILE}", f"/jobs?state={HOSTILE}", f"/jobs/{HOSTILE}"):
        text = visitor.get(path).text
        assert "<img" not in text
        assert "&lt;img" in text


def test_nothing_in_a_page_needs_more_than_its_policy_allows(visitor: TestClient, make_job: Callable[[], Job]) -> None:
    for path in ("/jobs", f"/jobs/{make_job().id}", "/login"):
        text = visitor.get(path, follow_redirects=True).text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        assert "hx-on" not in text
        assert "https://" not in text
        assert "<script>" not in text


def test_filters_live_in_the_address(
    visitor: TestClient, make_job: Callable[[], Job], claim: Callable[[Job], Claim]
) -> None:
    running, waiting = make_job(), make_job()
    claim(running)
    text = visitor.get("/jobs", params={"state": "running", "q": "cell"}).text
    assert running.id in text
    assert waiting.id not in text
    fragment = visitor.get("/jobs/list", params={"state": "running", "q": "cell"})
    assert fragment.headers["hx-replace-url"] == "/jobs?state=running&q=cell"
    assert running.id in visitor.get("/jobs", params={"dataset": running.dataset_id}).text
    assert running.id not in visitor.get("/jobs", params={"dataset": "ds_none"}).text


def test_a_list_that_is_long_has_older_jobs(
    visitor: TestClient, sessions: Sessions, project_id: str, job_spec: JobSpec
) -> None:
    first = named(sessions, project_id, job_spec, "the first")
    for number in range(50):
        named(sessions, project_id, job_spec, f"later {number}")
    text = visitor.get("/jobs").text
    assert first.id not in text
    older = text.partition('href="/jobs?cursor=')[2].partition('"')[0]
    assert first.id in visitor.get(f"/jobs?cursor={older}").text


def test_another_projects_job_is_not_there(
    visitor: TestClient, sessions: Sessions, make_job: Callable[[], Job]
) -> None:
    job = make_job()
    with sessions.begin() as session:
        jobs.get(session, job.project_id, job.id).project_id = projects.ensure(session, "other").id
    for path in ("", "/top", "/rest", "/log", "/stream", "/metrics.csv"):
        assert visitor.get(f"/jobs/{job.id}{path}").status_code == 404
    assert visitor.post(f"/jobs/{job.id}/cancel", headers=OURS).status_code == 404


def test_all_that_was_measured_can_be_saved(
    visitor: TestClient, make_job: Callable[[], Job], claim: Callable[[Job], Claim], sessions: Sessions
) -> None:
    job = make_job()
    values = [NewMetric("imitation", 0, "loss", step, step / 10, value) for step, value in ((1, 0.5), (2, math.nan))]
    with sessions.begin() as session:
        attempts.write(session, claim(job).lease, Report(1, metrics=values))
    answer = visitor.get(f"/jobs/{job.id}/metrics.csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{job.id}-metrics.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["role"], row["name"], row["step"], row["value"]) for row in rows] == [
        ("imitated", "loss", "1", "0.5"),
        ("imitated", "loss", "2", "nan"),
    ]


def test_a_job_that_may_still_run_is_not_deleted(visitor: TestClient, make_job: Callable[[], Job]) -> None:
    path = f"/jobs/{make_job().id}"
    assert visitor.post(f"{path}/delete", headers=OURS).status_code == 409
    visitor.post(f"{path}/cancel", headers=OURS)
    assert visitor.post(f"{path}/delete", headers=OURS).headers["location"] == "/jobs"
    assert visitor.get(path).status_code == 404


def test_acting_from_another_site_is_refused(visitor: TestClient, make_job: Callable[[], Job]) -> None:
    for action in ("pause", "resume", "cancel", "retry"):
        path = f"/jobs/{make_job().id}/{action}"
        assert visitor.post(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert visitor.post(path, headers=OURS).status_code == 303


def test_a_job_offers_what_its_state_allows(visitor: TestClient, make_job: Callable[[], Job]) -> None:
    path = f"/jobs/{make_job().id}"

    def offered() -> set[str]:
        text = visitor.get(f"{path}/top").text
        shown = {action for action in ("pause", "resume", "retry") if f'action="{path}/{action}"' in text}
        return shown | ({"cancel"} if "ask-cancel" in text else set())

    ways = [("pause", {"pause", "cancel"}), ("resume", {"resume", "cancel"}), ("cancel", {"pause", "cancel"})]
    for action, expected in [*ways, ("retry", {"retry"})]:
        assert offered() == expected
        visitor.post(f"{path}/{action}", headers=OURS)
    assert offered() == {"pause", "cancel"}


def test_a_job_that_ended_meanwhile_is_simply_shown(
    visitor: TestClient, make_job: Callable[[], Job], claim: Callable[[Job], Claim], fail: Callable[[Claim], None]
) -> None:
    job = make_job()
    fail(claim(job))
    answer = visitor.post(f"/jobs/{job.id}/cancel", headers=OURS)
    assert answer.status_code == 303
    assert "Mend it." in visitor.get(answer.headers["location"]).text
