"""/v1/models on real PostgreSQL and a real folder: what is taken, what is refused, what a job may begin with."""

import hashlib
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from starlette.testclient import TestClient

from api.main import create_app
from fgfi_core.spec import DETECTORS, JobSpec
from store import artifacts, attempts, checkpoints, datasets, models, projects
from store.artifacts import NewArtifact
from store.attempts import Report
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.leases import Claim
from store.models import Architecture
from store.objects import ObjectStore
from store.settings import Settings
from store.tables import Job, Model

DETECTOR = "shuffledet-1x"
SHAPES = [[16.0, 12.0], [30.0, 40.0]]
TOLD = {
    "detector": DETECTOR,
    "classes": json.dumps(["cell", "dot"]),
    "image_size": json.dumps([64, 48]),
    "anchor_shapes": json.dumps(SHAPES),
}
TENSORS = {"a": np.zeros((2, 3), dtype=np.float32)}

MakeModel = Callable[..., str]


@pytest.fixture(scope="module")
def weights() -> bytes:
    """A file that says what it is, as our own export does."""
    return save(TENSORS, metadata=TOLD)


@pytest.fixture
def make_model(sessions: Sessions, project_id: str) -> MakeModel:
    """A model without a file, ready unless told otherwise."""

    def make(state: str = "ready", detector: str = DETECTOR, classes: tuple[str, ...] = ("cell",)) -> str:
        with sessions.begin() as session:
            row = models.begin(session, project_id, "model", Architecture(detector, classes, (64, 48), ()))
            row.size, row.sha256, row.state = 0, "0" * 64, state
            return row.id

    return make


@pytest.fixture
def spec(job_spec: JobSpec) -> dict[str, Any]:
    return job_spec.model_dump(mode="json")


def post(client: TestClient, content: bytes, **params: Any) -> Any:
    return client.post("/v1/models", params={"name": "cells", **params}, content=content)


def kept(client: TestClient, objects: ObjectStore) -> tuple[list[Any], list[Any]]:
    return client.get("/v1/models").json()["data"], list(objects.list())


def test_a_file_that_says_what_it_is_needs_no_more_than_a_name(client: TestClient, weights: bytes) -> None:
    answer = post(client, weights)

    assert answer.status_code == 201
    body = answer.json()
    assert (body["state"], body["detector"], body["classes"]) == ("checking", DETECTOR, ["cell", "dot"])
    assert (body["image_size"], body["anchor_shapes"]) == ([64, 48], SHAPES)
    assert (body["size"], body["sha256"]) == (len(weights), hashlib.sha256(weights).hexdigest())
    assert client.get(answer.headers["location"]).json() == body
    assert client.get("/v1/models", params={"state": "checking"}).json()["data"] == [body]


def test_its_file_comes_back_whole_and_in_ranges(client: TestClient, weights: bytes) -> None:
    content = post(client, weights).json()["content"]

    whole = client.get(content)
    assert (whole.content, whole.headers["content-type"]) == (weights, "application/octet-stream")
    assert "cells.safetensors" in whole.headers["content-disposition"]
    part = client.get(content, headers={"range": "bytes=8-19"})
    assert (part.status_code, part.content) == (206, weights[8:20])


def test_what_another_program_wrote_is_declared(client: TestClient) -> None:
    declared = {"detector": DETECTOR, "class": ["cell"], "image_size": "64x48", "anchor": ["16x12", "30x40.5"]}
    body = post(client, save(TENSORS), **declared).json()
    assert (body["classes"], body["image_size"], body["anchor_shapes"]) == (["cell"], [64, 48], [[16, 12], [30, 40.5]])


def test_everything_that_is_not_known_of_a_file_is_asked_for_at_once(client: TestClient, objects: ObjectStore) -> None:
    refused = post(client, save(TENSORS))
    assert (refused.status_code, [e["path"] for e in refused.json()["errors"]]) == (422, ["detector", "class"])
    fitted = post(client, save(TENSORS), detector=DETECTOR, **{"class": ["cell"]})
    assert [e["path"] for e in fitted.json()["errors"]] == ["anchor", "image_size"]
    assert kept(client, objects) == ([], [])


@pytest.mark.parametrize(
    ("declared", "path", "told"),
    [
        ({"detector": "shuffledet-0.5x"}, "detector", "the file says 'shuffledet-1x'"),
        ({"class": ["dot", "cell"]}, "class", "the file says 'cell, dot', not 'dot, cell'"),
        ({"image_size": "640x480"}, "image_size", "the file says"),
        ({"image_size": "huge"}, "image_size", ""),
        ({"anchor": ["-1x3"]}, "anchor", "above 0"),
        ({"detector": "yolo"}, "detector", "no detector 'yolo'"),
    ],
)
def test_what_contradicts_the_file_or_cannot_be_is_named(
    client: TestClient, weights: bytes, declared: dict[str, Any], path: str, told: str
) -> None:
    refused = post(client, weights, **declared)
    assert refused.status_code == 422
    assert (refused.json()["errors"][0]["path"], told in refused.json()["errors"][0]["message"]) == (path, True)


def test_hostile_files_are_refused_and_leave_nothing(client: TestClient, weights: bytes, objects: ObjectStore) -> None:
    outside = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}
    text = json.dumps(outside).encode()
    tried: dict[str, tuple[bytes, int, str]] = {
        "a pickle by another name": (pickle.dumps(list(range(1000))), 415, "not_safetensors"),
        "a file of torch.save": (b"PK\x03\x04" + bytes(1000), 415, "not_safetensors"),
        "a header of exabytes": (b"\xff" * 7 + b"\x0f" + b"{" * 1000, 415, "not_safetensors"),
        "tensors before the file": (len(text).to_bytes(8, "little") + text, 422, "bad_model_file"),
        "cut off in its header": (weights[:40], 422, "bad_model_file"),
        "cut off in its tensors": (weights[:-1], 422, "bad_model_file"),
        "more behind its tensors": (weights + b"#!/bin/sh", 422, "bad_model_file"),
        "nothing": (b"", 422, "empty_upload"),
    }
    answers = {name: post(client, content) for name, (content, _, _) in tried.items()}
    assert {name: (answer.status_code, answer.json()["code"]) for name, answer in answers.items()} == {
        name: (status, code) for name, (_, status, code) in tried.items()
    }
    assert all(answer.json()["hint"] for answer in answers.values())
    assert kept(client, objects) == ([], [])


def test_a_file_past_the_limit_is_refused_and_leaves_nothing(
    settings: Settings, weights: bytes, make_key: Callable[..., str], objects: ObjectStore
) -> None:
    app = create_app(settings.model_copy(update={"max_model_bytes": len(weights) - 1}))
    client = TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {make_key('submit')}"})
    refused = post(client, weights)
    assert (refused.status_code, kept(client, objects)) == (413, ([], []))
    app.state.service.engine.dispose()


def test_a_file_past_the_projects_quota_is_refused_and_nothing_is_kept(
    settings: Settings, weights: bytes, make_key: Callable[..., str], objects: ObjectStore
) -> None:
    app = create_app(settings.model_copy(update={"project_bytes": len(weights)}))
    key = make_key("submit", "read")
    client = TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {key}"})
    assert post(client, weights).status_code == 201
    refused = post(client, weights)
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_exceeded")
    assert len(kept(client, objects)[0]) == 1
    app.state.service.engine.dispose()


def test_another_projects_model_is_not_there(
    client: TestClient, make_model: MakeModel, make_key: Callable[..., str], sessions: Sessions, spec: dict[str, Any]
) -> None:
    model_id = make_model()
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
        own = datasets.begin(session, other, "cells")
        own.size, own.sha256, own.state = 0, "0" * 64, "ready"
    client.headers["authorization"] = f"Bearer {make_key('admin', project=other)}"
    for path in ("", "/content"):
        assert client.get(f"/v1/models/{model_id}{path}").status_code == 404
    assert client.delete(f"/v1/models/{model_id}").status_code == 404
    refused = client.post("/v1/jobs", json=spec | {"dataset": {"id": own.id}, "teacher": {"model": model_id}})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "teacher.model")


def test_a_job_takes_the_detector_of_its_model(client: TestClient, make_model: MakeModel, spec: dict[str, Any]) -> None:
    teacher, student = make_model(detector="shuffledet-1x"), make_model(detector="shuffledet-0.5x")
    sides = {"teacher": {"model": teacher, "epochs": 0}, "student": {"model": student}}
    created = client.post("/v1/jobs", json=spec | sides)
    assert created.status_code == 201
    resolved = created.json()["spec"]
    assert (resolved["teacher"]["detector"], resolved["teacher"]["init"]) == ("shuffledet-1x", "file")
    assert (resolved["student"]["detector"], resolved["student"]["model"]) == ("shuffledet-0.5x", student)


@pytest.mark.parametrize(
    ("made", "side", "path", "told"),
    [
        ({"state": "checking"}, {}, "teacher.model", "is checking, not ready"),
        ({"state": "rejected"}, {}, "teacher.model", "is rejected, not ready"),
        ({}, {"detector": "shuffledet-0.5x"}, "teacher.detector", "is a 'shuffledet-1x'"),
        ({}, {"init": "imagenet"}, "teacher", "leave init out"),
        ({"classes": ("car",)}, {"epochs": 0}, "teacher.model", "knows the classes car"),
    ],
)
def test_a_model_that_does_not_fit_the_job_is_refused_by_its_field(
    client: TestClient,
    make_model: MakeModel,
    sessions: Sessions,
    dataset_id: str,
    project_id: str,
    spec: dict[str, Any],
    made: dict[str, Any],
    side: dict[str, Any],
    path: str,
    told: str,
) -> None:
    with sessions.begin() as session:
        splits: dict[str, Any] = {"trainval": {}, "test": {}}
        datasets.get(session, project_id, dataset_id).report = {"classes": {"cell": {}}, "splits": splits}
    refused = client.post("/v1/jobs", json=spec | {"teacher": {"model": make_model(**made), **side}})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["path"], told in error["message"]) == (path, True)


def test_a_pair_that_only_the_model_makes_impossible_is_refused(
    client: TestClient, make_model: MakeModel, spec: dict[str, Any]
) -> None:
    other = next(info for info in DETECTORS.values() if info.family != DETECTORS[DETECTOR].family)
    sides = {"teacher": {"model": make_model()}, "student": {"detector": other.name, "init": "teacher-slice"}}
    refused = client.post("/v1/jobs", json=spec | sides)
    assert (refused.status_code, "must be of one family" in refused.json()["detail"]) == (422, True)


def test_a_model_is_deleted_once_no_job_waits_for_it(
    client: TestClient, make_model: MakeModel, spec: dict[str, Any]
) -> None:
    model_id = make_model()
    job = client.post("/v1/jobs", json=spec | {"teacher": {"model": model_id}}).json()["id"]

    refused = client.delete(f"/v1/models/{model_id}")
    assert (refused.status_code, refused.json()["code"], job in refused.json()["detail"]) == (409, "model_in_use", True)

    client.post(f"/v1/jobs/{job}/cancel")
    assert client.delete(f"/v1/models/{model_id}").status_code == 204
    assert client.get(f"/v1/models/{model_id}").status_code == 404
    assert client.post(f"/v1/jobs/{job}/retry").json()["code"] == "model_not_ready"


@pytest.fixture
def trained(
    make_job: Callable[[], Job],
    claim: Callable[[Job], Claim],
    sessions: Sessions,
    objects: ObjectStore,
) -> Job:
    """A running job that has trained its teacher and exported its student."""
    job = make_job()
    lease = claim(job).lease
    resolved = {"spec": job.spec, "classes": ["cell"], "anchor_shapes": {"teacher": SHAPES, "student": []}}
    final = objects.put("jobs/teacher", [b"a checkpoint"])
    student = objects.put("jobs/student", [b"a student"])
    with sessions.begin() as session:
        attempts.write(session, lease, Report(1, resolved=resolved))
        at: dict[str, Any] = {
            "stage": "teacher",
            "seed": 0,
            "step": 9,
            "final": True,
            "path": "checkpoints/teacher-0/final.pt",
        }
        checkpoints.publish(
            session, lease, NewCheckpoint(**at, object_key=final.key, size=final.size, sha256=final.sha256)
        )
        path = "exports/student.safetensors"
        new = NewArtifact(path, "safetensors", path, student.key, "x/y", student.size, student.sha256)
        artifacts.publish(session, lease, new)
    return job


def test_a_jobs_student_is_registered_as_a_copy(
    client: TestClient, trained: Job, sessions: Sessions, objects: ObjectStore
) -> None:
    body = client.post("/v1/models", json={"from_job": trained.id, "role": "student"}).json()
    assert (body["state"], body["name"], body["job_id"]) == ("checking", "student of cells", trained.id)
    assert body["detector"] == trained.spec["student"]["detector"]
    assert client.get(body["content"]).content == b"a student"
    with sessions.begin() as session:
        assert session.get_one(Model, body["id"]).object_key != "jobs/student"
    assert len(list(objects.list("models/"))) == 1


def test_a_jobs_teacher_is_registered_for_its_check_to_take_out(client: TestClient, trained: Job) -> None:
    answer = client.post("/v1/models", json={"from_job": trained.id, "role": "teacher", "name": "big"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["state"], body["name"], body["role"], body["size"]) == ("checking", "big", "teacher", None)
    assert (body["classes"], body["anchor_shapes"]) == (["cell"], SHAPES)
    assert client.get(body["content"]).json()["code"] == "model_not_ready"


def test_a_job_that_has_trained_nothing_gives_nothing(client: TestClient, make_job: Callable[[], Job]) -> None:
    asked = {"from_job": make_job().id, "role": "teacher"}
    refused = client.post("/v1/models", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_weights")
    assert client.post("/v1/models", json=asked | {"from_job": "job_x"}).status_code == 404
    assert client.post("/v1/models", json=asked | {"role": "both"}).json()["errors"][0]["path"] == "role"
    assert client.get("/v1/models").json()["data"] == []
