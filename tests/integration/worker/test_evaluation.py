"""A registered model measured on a data set: from the REST call over a real worker and its child to the result."""

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from starlette.exceptions import StarletteDeprecationWarning

from api.main import create_app
from client.connection import Connection
from client.errors import ClientError
from client.http import Http
from client.sdk import Fgfi
from fgfi_core.detectors import create
from fgfi_core.evaluation.report import Evaluation
from fgfi_core.export import safetensors
from store import datasets, keys, models
from store.database import Sessions
from store.models import Architecture
from store.objects import ObjectStore
from store.settings import Settings
from store.tables import Dataset
from worker.turn import take_turn
from worker.workplace import Workplace

with warnings.catch_warnings():
    # It would rather have another client library; httpx is the one the project has.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

pytestmark = pytest.mark.integration

DETECTOR, SIZE = "ssd-shufflenetv2-0.25x", (64, 64)
CLASSES = ("spare", "dot", "cell")  # One more than the data has, and in another order.
OBJECT = """<object><name>{name}</name><difficult>0</difficult><bndbox><xmin>{x}</xmin><ymin>{x}</ymin>
<xmax>{y}</xmax><ymax>{y}</ymax></bndbox></object>"""


@pytest.fixture
def images(sessions: Sessions, objects: ObjectStore, project_id: str) -> str:
    """A ready data set of four images in `test`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(5):
            pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
            image = io.BytesIO()
            Image.fromarray(pixels).save(image, "PNG")
            archive.writestr(f"JPEGImages/{number}.png", image.getvalue())
            both = OBJECT.format(name="cell", x=10, y=40) + OBJECT.format(name="dot", x=44, y=60)
            size = "<size><width>64</width><height>64</height><depth>3</depth></size>"
            archive.writestr(f"Annotations/{number}.xml", f"<annotation>{size}{both}</annotation>")
        archive.writestr("ImageSets/Main/trainval.txt", "0\n")
        archive.writestr("ImageSets/Main/test.txt", "1\n2\n3\n4\n")
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "noise")
        stored = objects.put(row.object_key, [packed.getvalue()])
        row.size, row.sha256, row.state = stored.size, stored.sha256, "ready"
        row.report = {"classes": {"cell": {}, "dot": {}}, "splits": {"trainval": {"images": 1}, "test": {"images": 4}}}
        return row.id


@pytest.fixture
def model(sessions: Sessions, objects: ObjectStore, project_id: str, tmp_path: Path) -> str:
    """A ready model with weights of chance."""
    torch.manual_seed(0)
    detector = create(DETECTOR, len(CLASSES), SIZE)
    content = safetensors.write(detector, CLASSES, tmp_path)[0].read_bytes()
    with sessions.begin() as session:
        row = models.begin(session, project_id, "m", Architecture(DETECTOR, CLASSES, SIZE, detector.anchor_shapes))
        stored = objects.put(row.object_key, [content])
        row.size, row.sha256, row.state = stored.size, stored.sha256, "ready"
        return row.id


@pytest.fixture
def app(settings: Settings, sessions: Sessions) -> Iterator[FastAPI]:
    del sessions
    made = create_app(settings)
    yield made
    made.state.service.engine.dispose()


@pytest.fixture
def service(app: FastAPI, sessions: Sessions, settings: Settings, project_id: str) -> Iterator[Fgfi]:
    """The Python client, on the application itself."""
    with sessions.begin() as session:
        key = keys.create(session, project_id, "test", ("admin",), settings.secret_key).token
    http = Http(Connection("http://localhost", key), transport=_InProcess(app))
    yield Fgfi(http, "http://localhost")
    http.close()


class _InProcess(httpx.BaseTransport):
    """Hands requests to an application in this process."""

    def __init__(self, app: FastAPI) -> None:
        self._client = TestClient(app, base_url="http://localhost")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._client.request(
            request.method, str(request.url), content=request.read(), headers=dict(request.headers)
        )
        # What the client in between has unpacked already.
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-encoding"]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)


def test_a_model_is_measured_on_data_that_counts_its_classes_otherwise(
    service: Fgfi, place: Workplace, images: str, model: str, look: Any
) -> None:
    asked = {"name": "again", "model": model, "dataset": {"id": images}, "evaluation": ["voc07", "coco"]}
    job = service.evaluate({**asked, "resources": {"device": "cpu", "threads": 1}}, device_class="any")
    assert (job.state, job.kind) == ("queued", "evaluation")

    take_turn(place, job.id, lambda _: None)

    done = service.evaluation(job.id)
    assert (done.state, done.error) == ("succeeded", None)
    assert done.result is not None
    assert (done.result["images"], done.result["classes"], done.result["split"]) == (4, ["cell", "dot"], "test")
    assert done.result["coco"]["ap50"] is not None
    assert [one["stage"] for one in look.events(job.id, "stage_started")] == ["preflight", "report"]
    assert [one["code"] for one in look.events(job.id, "log")] == ["spare_classes"]
    (file,) = service.artifacts(job.id)
    with service._http.stream(file.content) as answer:
        measured = Evaluation.model_validate_json(answer.read())
    assert measured.voc.map50 == done.result["map50"] == file.facts["map50"]
    assert set(measured.classes) == {"cell", "dot"}


def test_it_is_asked_for_once_listed_apart_and_cancelled_as_any_job(service: Fgfi, images: str, model: str) -> None:
    asked = {"name": "again", "model": model, "dataset": {"id": images}}
    job = service.evaluate(asked)
    assert [one.id for one in service.evaluations()] == [job.id]
    assert service.jobs() == []
    assert service.cancel(job.id).state == "cancelled"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"model": "mdl_gone"}, "model"),
        ({"dataset": {"split": "val"}}, "dataset.split"),
        ({"dataset": {"id": "ds_gone"}}, "dataset.id"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(
    app: FastAPI, service: Fgfi, images: str, model: str, changes: dict[str, Any], path: str
) -> None:
    asked: dict[str, Any] = {"name": "again", "model": model, "dataset": {"id": images}}
    asked["dataset"] |= changes.pop("dataset", {})
    answer = _InProcess(app).handle_request(
        service._http._client.build_request("POST", "/v1/evaluations", json=asked | changes)
    )
    assert answer.status_code in {404, 422}
    assert answer.json()["errors"][0]["path"] == path


def test_a_model_that_does_not_know_a_class_is_refused(
    app: FastAPI, service: Fgfi, images: str, model: str, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.get_one(Dataset, images).report = {"classes": {"cell": {}, "mast": {}}, "splits": {"test": {}}}
    asked = {"name": "again", "model": model, "dataset": {"id": images}}
    answer = _InProcess(app).handle_request(service._http._client.build_request("POST", "/v1/evaluations", json=asked))
    assert (answer.status_code, answer.json()["code"]) == (422, "model_mismatch")
    assert "mast" in answer.json()["detail"]


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.code


def test_a_job_that_measured_is_neither_cloned_nor_a_source_of_models(service: Fgfi, images: str, model: str) -> None:
    job = service.evaluate({"name": "again", "model": model, "dataset": {"id": images}})
    assert refusal(lambda: service.clone(job.id)) == "wrong_kind"
    assert refusal(lambda: service.models.from_job(job.id, "teacher")) == "no_weights"
