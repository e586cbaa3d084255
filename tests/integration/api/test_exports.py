"""Exports of data sets: asked for by REST, made by a worker, read back by our reader."""

import dataclasses
import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from fgfi_core import data
from fgfi_core.data.archive import extract
from fgfi_core.data.convert import FORMATS
from store import check_leases, exports, garbage
from store.database import Sessions
from store.objects import FolderStore, ObjectStore, Stored
from store.settings import Settings
from store.states import ExportFormat
from store.tables import Dataset, Export, Garbage, Outbox
from tests.integration.api.conftest import Fgfi
from tests.integration.worker.test_checks import voc
from worker.checks import check_dataset
from worker.exports import make_export
from worker.steward import Steward
from worker.workplace import Workplace, make_workplace

pytestmark = pytest.mark.integration


@pytest.fixture
def place(settings: Settings, sessions: Sessions) -> Workplace:
    return dataclasses.replace(make_workplace(settings), sessions=sessions)


@pytest.fixture
def cells(client: TestClient, place: Workplace) -> str:
    """A data set of two images that was uploaded and checked."""
    made = client.post("/v1/datasets", params={"name": "cells"}, content=voc()).json()
    assert check_dataset(place, made["id"])
    return str(made["id"])


@pytest.fixture
def ask(client: TestClient, cells: str) -> Callable[[str], dict[str, Any]]:
    def post(format_name: str) -> dict[str, Any]:
        answer = client.post(f"/v1/datasets/{cells}/exports", json={"format": format_name})
        assert answer.status_code == 202, answer.text
        assert client.get(answer.headers["location"]).json() == answer.json()
        return dict(answer.json())

    return post


def repacked(packed: bytes, old: bytes, new: bytes) -> bytes:
    """A zip with a text replaced in every member."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(kept, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name).replace(old, new))
    return kept.getvalue()


def lapse(sessions: Sessions) -> None:
    with sessions.begin() as session:
        past = func.clock_timestamp() - timedelta(seconds=1)
        session.execute(update(Export).values(check_expires_at=past))


def collected(sessions: Sessions) -> list[str]:
    with sessions.begin() as session:
        return list(session.scalars(select(Garbage.object_key)))


def test_the_api_takes_the_formats_that_can_be_written() -> None:
    assert get_args(ExportFormat) == FORMATS


@pytest.mark.parametrize("format_name", ["voc", "coco", "yolo"])
def test_what_is_downloaded_is_read_back_equal(
    format_name: str, client: TestClient, place: Workplace, ask: Callable[[str], Any], tmp_path: Path
) -> None:
    asked = ask(format_name)
    assert (asked["state"], asked["content"]) == ("queued", None)
    assert make_export(place, asked["id"])

    made = client.get(f"/v1/datasets/{asked['dataset_id']}/exports/{asked['id']}").json()
    assert (made["state"], made["report"]["images"], made["report"]["boxes"]) == ("ready", 2, 2)
    answer = client.get(made["content"])
    assert (answer.headers["etag"], len(answer.content)) == (f'"{made["sha256"]}"', made["size"])

    for name, content in (("source.zip", voc()), ("export.zip", answer.content)):
        (tmp_path / name).write_bytes(content)
        extract(tmp_path / name, tmp_path / name.removesuffix(".zip"))
    source, export = data.read(tmp_path / "source"), data.read(tmp_path / "export")
    assert export.format == format_name
    assert export.classes == source.classes
    boxes = [[one.boxes for split in sorted(read.splits) for one in read.splits[split]] for read in (source, export)]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-3)


def test_what_the_format_cannot_say_is_counted(client: TestClient, place: Workplace) -> None:
    difficult = repacked(voc(), b"<difficult>0", b"<difficult>1")
    source = client.post("/v1/datasets", params={"name": "hard"}, content=difficult).json()["id"]
    check_dataset(place, source)
    make_export(place, client.post(f"/v1/datasets/{source}/exports", json={"format": "yolo"}).json()["id"])

    report = client.get(f"/v1/datasets/{source}/exports").json()["data"][0]["report"]

    assert (2, True) in [(loss["count"], "difficult" in loss["what"]) for loss in report["losses"]]


def test_what_the_format_cannot_hold_at_all_fails_and_says_why(
    client: TestClient, place: Workplace, ask: Callable[[str], Any]
) -> None:
    asked = ask("kitti")  # Which knows cars, pedestrians and cyclists.
    make_export(place, asked["id"])

    failed = client.get(f"/v1/datasets/{asked['dataset_id']}/exports/{asked['id']}").json()

    assert (failed["state"], failed["error"]["code"], failed["content"]) == ("failed", "bad_data", None)
    assert "KITTI" in failed["error"]["message"]


def test_the_same_bytes_come_out_each_time(
    client: TestClient, place: Workplace, ask: Callable[[str], Any], sessions: Sessions
) -> None:
    made = []
    for _ in range(2):
        asked = ask("coco")
        make_export(place, asked["id"])
        made.append(client.get(f"/v1/datasets/{asked['dataset_id']}/exports/{asked['id']}").json())
        with sessions.begin() as session:
            session.execute(update(Export).values(expires_at=func.clock_timestamp()))
            exports.expire(session)
    assert made[0]["id"] != made[1]["id"]
    assert made[0]["sha256"] == made[1]["sha256"]


def test_a_format_is_made_once_however_many_ask(ask: Callable[[str], Any], sessions: Sessions) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = {one["id"] for one in pool.map(ask, ["coco"] * 4)}

    assert len(found) == 1
    with sessions.begin() as session:
        assert list(session.scalars(select(Outbox.subject_id).where(Outbox.kind == "export"))) == list(found)


def test_asking_for_one_that_is_there_keeps_it_longer(
    place: Workplace, ask: Callable[[str], Any], sessions: Sessions
) -> None:
    asked = ask("coco")
    make_export(place, asked["id"])
    with sessions.begin() as session:
        session.execute(update(Export).values(expires_at=func.clock_timestamp()))

    again = ask("coco")
    assert again["id"] == asked["id"]
    with sessions.begin() as session:
        exports.expire(session)
        assert session.get(Export, asked["id"]) is not None


def test_an_export_goes_with_its_data_set(
    client: TestClient, place: Workplace, ask: Callable[[str], Any], sessions: Sessions
) -> None:
    asked = ask("coco")
    make_export(place, asked["id"])
    client.delete(f"/v1/datasets/{asked['dataset_id']}").raise_for_status()

    assert client.get(f"/v1/datasets/{asked['dataset_id']}/exports/{asked['id']}").status_code == 404
    assert any("/exports/" in key for key in collected(sessions))


def test_a_data_set_deleted_under_its_export_leaves_nothing(
    client: TestClient,
    place: Workplace,
    ask: Callable[[str], Any],
    sessions: Sessions,
    objects: ObjectStore,
    settings: Settings,
) -> None:
    asked = ask("coco")

    class Late(FolderStore):
        """Before it takes the archive, the data set is deleted."""

        def put(self, *given: Any, **named: Any) -> Stored:
            client.delete(f"/v1/datasets/{asked['dataset_id']}").raise_for_status()
            return super().put(*given, **named)

    late = Late(Path(settings.storage_url.removeprefix("file://")))
    assert make_export(dataclasses.replace(place, objects=late), asked["id"])

    stored = {found.key for found in objects.list() if "/exports/" in found.key}
    assert stored
    assert stored <= set(collected(sessions))


def test_the_steward_expires_exports_and_keeps_the_others(
    client: TestClient, place: Workplace, ask: Callable[[str], Any], sessions: Sessions, objects: ObjectStore
) -> None:
    old, new = ask("coco"), ask("yolo")
    for one in (old, new):
        make_export(place, one["id"])
    with sessions.begin() as session:
        assert not garbage.unreferenced(session, [f.key for f in objects.list() if "/exports/" in f.key])
        session.execute(update(Export).where(Export.id == old["id"]).values(expires_at=func.clock_timestamp()))
    steward = Steward(place.settings, sessions, objects)
    steward.expire()
    steward.collect()

    listed = client.get(f"/v1/datasets/{old['dataset_id']}/exports").json()["data"]
    assert [one["id"] for one in listed] == [new["id"]]
    (kept,) = [found.key for found in objects.list() if "/exports/" in found.key]
    assert new["id"] in kept


def test_an_export_that_brings_its_workers_down_fails_and_can_be_asked_for_again(
    client: TestClient, place: Workplace, ask: Callable[[str], Any], sessions: Sessions
) -> None:
    asked = ask("coco")
    for _ in range(check_leases.MAX_CHECKS):
        with sessions.begin() as session:
            assert exports.claim(session, asked["id"], timedelta(minutes=1), timedelta(hours=1)) is not None
        assert not make_export(place, asked["id"])  # Somebody holds it.
        lapse(sessions)
    assert not make_export(place, asked["id"])

    failed = client.get(f"/v1/datasets/{asked['dataset_id']}/exports/{asked['id']}").json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "export_failed")
    assert failed["expires_at"] is not None
    refused = client.get(f"/v1/datasets/{asked['dataset_id']}/exports/{asked['id']}/content")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert ask("coco")["id"] != asked["id"]


def test_a_data_set_that_is_not_checked_is_not_exported(client: TestClient) -> None:
    made = client.post("/v1/datasets", params={"name": "cells"}, content=voc()).json()

    answer = client.post(f"/v1/datasets/{made['id']}/exports", json={"format": "coco"})

    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_not_ready")


def test_an_unknown_format_is_refused_by_name(client: TestClient, cells: str) -> None:
    answer = client.post(f"/v1/datasets/{cells}/exports", json={"format": "tfrecord"})

    assert answer.status_code == 422
    assert "format" in answer.text


def test_the_command_brings_a_folder(
    fgfi: Fgfi, cells: str, place: Workplace, sessions: Sessions, tmp_path: Path
) -> None:
    with sessions.begin() as session:
        project = session.get_one(Dataset, cells).project_id
        made = exports.create(session, project, cells, "coco", timedelta(hours=1)).id
    make_export(place, made)

    code, printed, _ = fgfi("datasets", "download", cells, "--format", "coco", "--out", tmp_path / "coco")

    assert code == 0
    assert "coco, 2 images, 2 boxes" in printed
    read = data.read(tmp_path / "coco")
    assert (read.format, sum(map(len, read.splits.values()))) == ("coco", 2)
    code, _, errors = fgfi("datasets", "download", cells, "--format", "coco", "--out", tmp_path / "coco")
    assert (code, "not an empty folder" in errors) == (2, True)


def test_a_zip_holds_images_as_they_are(client: TestClient, place: Workplace, ask: Callable[[str], Any]) -> None:
    asked = ask("coco")
    make_export(place, asked["id"])
    content = client.get(f"/v1/datasets/{asked['dataset_id']}/exports/{asked['id']}/content").content
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        kinds = {member.filename.rpartition(".")[2]: member.compress_type for member in packed.infolist()}
    assert kinds == {"png": zipfile.ZIP_STORED, "json": zipfile.ZIP_DEFLATED}
