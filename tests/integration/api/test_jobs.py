"""/v1/jobs on real PostgreSQL."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from fgfi_core.spec import JobSpec
from store import datasets, jobs, projects
from store.database import Sessions
from store.idempotency import Idempotency
from store.leases import Claim
from store.states import Action
from store.tables import Dataset, Job

MakeJob = Callable[[], Job]


@pytest.fixture
def spec(job_spec: JobSpec) -> dict[str, Any]:
    body: dict[str, Any] = job_spec.model_dump(mode="json")
    return body


def test_a_posted_job_is_queued_and_can_be_read(client: TestClient, spec: dict[str, Any]) -> None:
    created = client.post("/v1/jobs", json=spec)
    assert created.status_code == 201
    assert created.json()["state"] == "queued"
    assert created.headers["location"] == f"/v1/jobs/{created.json()['id']}"
    found = client.get(created.headers["location"]).json()
    assert found == created.json()
    assert found["spec"] == spec


def test_yaml_is_taken_as_people_write_it(client: TestClient, spec: dict[str, Any]) -> None:
    detector = spec["teacher"]["detector"]
    text = f"""
        name: from-yaml
        dataset: {{id: {spec["dataset"]["id"]}}}
        teacher: {{detector: {detector}}}
        student: {{detector: {detector}}}
    """
    created = client.post("/v1/jobs", content=text, headers={"content-type": "application/yaml"})
    assert created.status_code == 201
    assert created.json()["name"] == "from-yaml"


def test_a_repeated_request_answers_the_first_job(client: TestClient, spec: dict[str, Any]) -> None:
    headers = {"idempotency-key": "once"}
    first = client.post("/v1/jobs", json=spec, headers=headers)
    second = client.post("/v1/jobs", json=spec, headers=headers)
    assert second.status_code == 201
    assert second.json()["id"] == first.json()["id"]
    assert second.headers["idempotency-replayed"] == "true"
    assert len(client.get("/v1/jobs").json()["data"]) == 1


def test_the_same_key_with_another_request_is_refused(client: TestClient, spec: dict[str, Any]) -> None:
    headers = {"idempotency-key": "once"}
    client.post("/v1/jobs", json=spec, headers=headers)
    second = client.post("/v1/jobs", json=spec | {"name": "other"}, headers=headers)
    assert second.status_code == 422
    assert second.json()["code"] == "idempotency_mismatch"


def test_a_twin_that_comes_while_the_first_is_worked_on_is_refused(
    client: TestClient, spec: dict[str, Any], sessions: Sessions, project_id: str, job_spec: JobSpec
) -> None:
    with sessions.begin() as session:  # The first request, not yet committed.
        jobs.create(session, project_id, job_spec, Idempotency("twin", spec))
        second = client.post("/v1/jobs", json=spec, headers={"idempotency-key": "twin"})
    assert second.status_code == 409
    assert second.json()["code"] == "idempotency_in_flight"


def test_a_job_on_a_deleted_data_set_says_so(client: TestClient, spec: dict[str, Any]) -> None:
    dataset = spec["dataset"]["id"]
    assert client.delete(f"/v1/datasets/{dataset}").status_code == 204
    refused = client.post("/v1/jobs", json=spec)
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "dataset_not_found"
    assert problem["detail"] == f"There is no data set '{dataset}'."
    assert problem["errors"][0]["path"] == "dataset.id"


def test_a_split_that_the_data_set_lacks_is_told_before_anything_waits_for_it(
    client: TestClient, spec: dict[str, Any], sessions: Sessions
) -> None:
    with sessions.begin() as session:
        row = session.get_one(Dataset, spec["dataset"]["id"])
        row.report = {"splits": {"trainval": {}, "test": {}}}
    refused = client.post("/v1/jobs", json=spec | {"dataset": spec["dataset"] | {"train": "train"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_such_split")
    assert refused.json()["detail"] == "dataset.train is 'train', but data set 'cells' has no such split."
    assert refused.json()["errors"][0]["path"] == "dataset.train"
    assert refused.json()["hint"] == "Its splits: test, trainval."
    assert client.post("/v1/jobs", json=spec).status_code == 201


def test_a_job_on_a_data_set_still_being_checked_says_so(
    client: TestClient, spec: dict[str, Any], sessions: Sessions, project_id: str
) -> None:
    with sessions.begin() as session:
        fresh = datasets.begin(session, project_id, "fresh")
    refused = client.post("/v1/jobs", json=spec | {"dataset": {"id": fresh.id}})
    assert refused.status_code == 409
    assert refused.json()["code"] == "dataset_not_ready"


def test_a_misspelt_detector_is_named_with_what_was_meant(client: TestClient, spec: dict[str, Any]) -> None:
    spec["teacher"]["detector"] = spec["teacher"]["detector"][:-1]
    refused = client.post("/v1/jobs", json=spec)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["path"] == "teacher.detector"
    assert "Did you mean" in error["message"]
    assert "/v1/detectors" in error["hint"]


def test_a_file_of_weights_is_refused_before_a_worker_looks_for_it(client: TestClient, spec: dict[str, Any]) -> None:
    spec["teacher"]["init"] = "file"
    refused = client.post("/v1/jobs", json=spec)
    assert (refused.status_code, refused.json()["code"]) == (422, "file_without_model")
    assert refused.json()["errors"][0]["path"] == "teacher.init"


def test_another_projects_job_is_not_there(
    client: TestClient, make_job: MakeJob, make_key: Callable[..., str], sessions: Sessions
) -> None:
    job = make_job()
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    client.headers["authorization"] = f"Bearer {make_key('admin', project=other)}"
    for path in ("", "/events", "/events/stream", "/metrics", "/artifacts"):
        assert client.get(f"/v1/jobs/{job.id}{path}").status_code == 404
    for action in (*get_args(Action), "clone"):
        assert client.post(f"/v1/jobs/{job.id}/{action}").status_code == 404
    assert client.get("/v1/jobs").json()["data"] == []


def test_a_list_goes_on_by_its_cursor(client: TestClient, make_job: MakeJob) -> None:
    made = [make_job().id for _ in range(5)]
    first = client.get("/v1/jobs", params={"limit": 3}).json()
    second = client.get("/v1/jobs", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert first["has_more"] is True
    assert second["has_more"] is False
    assert [job["id"] for job in first["data"] + second["data"]] == made[::-1]


def test_a_cursor_of_somebody_elses_making_is_refused(client: TestClient) -> None:
    refused = client.get("/v1/jobs", params={"cursor": "bm9uc2Vuc2U"})
    assert refused.status_code == 422
    assert refused.json()["code"] == "bad_cursor"


def test_the_list_is_filtered_by_state_and_text(
    client: TestClient, make_job: MakeJob, claim: Callable[[Job], Claim]
) -> None:
    running, _queued = make_job(), make_job()
    claim(running)
    found = client.get("/v1/jobs", params={"state": "running"}).json()["data"]
    assert [job["id"] for job in found] == [running.id]
    assert client.get("/v1/jobs", params={"q": "CELL"}).json()["data"]
    assert client.get("/v1/jobs", params={"q": "100%"}).json()["data"] == []


def test_an_unchanged_job_is_not_sent_again(client: TestClient, make_job: MakeJob) -> None:
    path = f"/v1/jobs/{make_job().id}"
    etag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": etag})
    assert again.status_code == 304
    assert again.content == b""
    client.post(f"{path}/cancel")
    assert client.get(path, headers={"if-none-match": etag}).status_code == 200


def test_a_waiting_job_is_cancelled_at_once_and_twice_is_fine(client: TestClient, make_job: MakeJob) -> None:
    path = f"/v1/jobs/{make_job().id}/cancel"
    assert client.post(path).json()["state"] == "cancelled"
    again = client.post(path)
    assert again.status_code == 200
    assert again.json()["state"] == "cancelled"


def test_a_running_job_is_asked_to_stop(client: TestClient, make_job: MakeJob, claim: Callable[[Job], Claim]) -> None:
    job = make_job()
    claim(job)
    assert client.post(f"/v1/jobs/{job.id}/cancel").json()["state"] == "cancelling"


def test_an_ended_job_cannot_be_cancelled(
    client: TestClient, make_job: MakeJob, claim: Callable[[Job], Claim], fail: Callable[[Claim], None]
) -> None:
    job = make_job()
    fail(claim(job))
    refused = client.post(f"/v1/jobs/{job.id}/cancel")
    assert refused.status_code == 409
    assert refused.json()["code"] == "wrong_state"
    assert "failed" in refused.json()["detail"]


def test_a_job_is_paused_resumed_and_its_way_is_told(client: TestClient, make_job: MakeJob) -> None:
    path = f"/v1/jobs/{make_job().id}"
    assert client.post(f"{path}/pause").json()["state"] == "paused"
    found = client.post(f"{path}/resume").json()
    assert [one["state"] for one in found["transitions"]] == ["queued", "paused", "queued"]
    assert found["transitions"][1]["end"] == found["transitions"][2]["start"]
    assert (found["transitions"][1]["message"], found["transitions"][2]["end"]) == ("Paused by the user.", None)


def test_a_failed_job_is_retried(
    client: TestClient, make_job: MakeJob, claim: Callable[[Job], Claim], fail: Callable[[Claim], None]
) -> None:
    job = make_job()
    fail(claim(job))
    retried = client.post(f"/v1/jobs/{job.id}/retry").json()
    assert (retried["state"], retried["error"], retried["finished_at"]) == ("queued", None, None)


def test_an_action_in_a_wrong_state_is_a_problem_that_names_the_state(client: TestClient, make_job: MakeJob) -> None:
    refused = client.post(f"/v1/jobs/{make_job().id}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert refused.json()["detail"] == "A job that is queued cannot be retried."
    assert "clone it" in refused.json()["hint"]


def test_a_clone_is_a_new_job_with_the_same_spec(client: TestClient, make_job: MakeJob) -> None:
    job = make_job()
    made = client.post(f"/v1/jobs/{job.id}/clone")
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/jobs/{made.json()['id']}"
    assert (made.json()["id"] != job.id, made.json()["spec"]) == (True, job.spec)


def test_a_clone_takes_changes(client: TestClient, make_job: MakeJob) -> None:
    changes = {"name": "longer", "schedule": {"epochs": 60}}
    made = client.post(f"/v1/jobs/{make_job().id}/clone", json=changes).json()
    assert (made["name"], made["spec"]["schedule"]["epochs"], made["spec"]["schedule"]["momentum"]) == (
        "longer",
        60,
        0.9,
    )


def test_a_change_that_makes_no_spec_is_explained(client: TestClient, make_job: MakeJob) -> None:
    refused = client.post(f"/v1/jobs/{make_job().id}/clone", json={"schedule": {"epochs": 0}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "schedule.epochs"


def test_a_clone_asked_for_twice_under_one_key_is_made_once(client: TestClient, make_job: MakeJob) -> None:
    path, headers = f"/v1/jobs/{make_job().id}/clone", {"idempotency-key": "once"}
    first, second = (client.post(path, headers=headers).json()["id"] for _ in range(2))
    assert first == second
    assert client.post(path, json={"name": "x"}, headers=headers).json()["code"] == "idempotency_mismatch"


def test_a_job_says_how_urgent_it_is_and_who_may_take_it(client: TestClient, spec: dict[str, Any]) -> None:
    made = client.post("/v1/jobs", json=spec, params={"priority": "high", "device_class": "cpu"}).json()
    assert (made["priority"], made["device_class"]) == ("high", "cpu")
    clone = client.post(f"/v1/jobs/{made['id']}/clone").json()
    assert (clone["priority"], clone["device_class"]) == ("high", "cpu")


@pytest.mark.parametrize(("device", "device_class"), [("auto", "any"), ("cpu", "cpu"), ("cuda", "gpu")])
def test_without_a_class_the_specs_device_decides(
    client: TestClient, spec: dict[str, Any], device: str, device_class: str
) -> None:
    spec["resources"]["device"] = device
    assert client.post("/v1/jobs", json=spec).json()["device_class"] == device_class


def test_an_unknown_class_of_devices_is_refused_with_the_known_ones(client: TestClient, spec: dict[str, Any]) -> None:
    refused = client.post("/v1/jobs", json=spec, params={"device_class": "tpu"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_such_device_class")
    assert refused.json()["hint"] == "Known: any, cpu, gpu."
