"""Models held against their detector in a process of their own, and a whole job that begins with one."""

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save
from sqlalchemy import func

from fgfi_core.detectors import Detector, create
from fgfi_core.export import safetensors
from fgfi_core.spec import JobSpec
from store import datasets, jobs, models
from store.database import Sessions
from store.models import Architecture
from store.objects import FolderStore, ObjectStore
from store.safetensors_header import parse
from store.tables import Model
from worker.model_check import check_model
from worker.model_files import model_files
from worker.turn import take_turn
from worker.workplace import Workplace

pytestmark = pytest.mark.integration

TEACHER, STUDENT = "ssd-shufflenetv2-0.5x", "ssd-shufflenetv2-0.25x"
SIZE = (64, 64)
CLASSES = ("cell", "dot")
BOXES = {"cell": (10, 12, 40, 40), "dot": (44, 44, 58, 56)}

Register = Callable[..., str]
Read = Callable[[str], Model]


def detector(name: str = TEACHER) -> Detector:
    torch.manual_seed(0)
    return create(name, len(CLASSES), SIZE)


def file_of(one: Detector, folder: Path) -> bytes:
    return safetensors.write(one, CLASSES, folder)[0].read_bytes()


@pytest.fixture
def register(sessions: Sessions, objects: ObjectStore, project_id: str) -> Register:
    """An uploaded file that waits for its check."""

    def send(content: bytes, name: str = TEACHER, shapes: tuple[tuple[float, float], ...] = ()) -> str:
        shapes = shapes or detector(name).anchor_shapes
        with sessions.begin() as session:
            row = models.begin(session, project_id, "model", Architecture(name, CLASSES, SIZE, shapes))
        stored = objects.put(row.object_key, [content])
        with sessions.begin() as session:
            models.uploaded(session, project_id, row.id, size=stored.size, sha256=stored.sha256)
        return row.id

    return send


@pytest.fixture
def read(sessions: Sessions) -> Read:
    def one(model_id: str) -> Model:
        with sessions.begin() as session:
            return session.get_one(Model, model_id)

    return one


def test_another_detectors_weights_are_rejected(
    place: Workplace, register: Register, read: Read, tmp_path: Path
) -> None:
    model_id = register(file_of(detector(STUDENT), tmp_path))
    check_model(place, model_id)
    row = read(model_id)
    assert row.error is not None
    assert (row.state, f"do not fit '{TEACHER}' with 2 classes" in row.error["message"]) == ("rejected", True)


def test_an_inspection_that_dies_is_tried_again(
    place: Workplace, register: Register, read: Read, tmp_path: Path
) -> None:
    model_id = register(file_of(detector(), tmp_path))
    assert check_model(place, model_id, command=(sys.executable, "-c", "import os; os.abort()"))
    assert (read(model_id).state, read(model_id).checks) == ("checking", 1)


def test_an_object_store_that_is_away_costs_a_model_nothing(
    place: Workplace, register: Register, read: Read, tmp_path: Path
) -> None:
    model_id = register(b"")
    (tmp_path / "gone").mkdir()
    away = replace(place, objects=FolderStore(tmp_path / "gone"))
    (tmp_path / "gone").rename(tmp_path / "unmounted")
    assert check_model(away, model_id)
    assert (read(model_id).state, read(model_id).checks) == ("checking", 0)


def job_of(dataset_id: str, teacher: str) -> JobSpec:
    """The smallest distillation: from a finished teacher, one epoch of two steps."""
    return JobSpec.model_validate(
        {
            "name": "tiny",
            "dataset": {"id": dataset_id},
            "teacher": {"model": teacher, "epochs": 0},
            "student": {"detector": STUDENT},
            "method": {"name": "fine-grained", "balance_steps": 1},
            "baseline": False,
            "schedule": {"epochs": 1, "batch_size": 2, "image_size": SIZE, "resize": "fit", "evaluate_every": 1},
            "preflight": {"teacher_floor": 0, "force": True, "estimate": False},
            "evaluation": ["voc07"],
            "exports": ["safetensors"],
            "resources": {"device": "cpu", "threads": 1},
        }
    )


def voc() -> bytes:
    """Four images to train on and two to measure on, of noise with two boxes each."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(6):
            pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
            image = io.BytesIO()
            Image.fromarray(pixels).save(image, "PNG")
            archive.writestr(f"JPEGImages/{number}.png", image.getvalue())
            objects = "".join(
                f"<object><name>{name}</name><difficult>0</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
                f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
                for name, (x1, y1, x2, y2) in BOXES.items()
            )
            size = "<size><width>64</width><height>64</height><depth>3</depth></size>"
            archive.writestr(f"Annotations/{number}.xml", f"<annotation>{size}{objects}</annotation>")
        archive.writestr("ImageSets/Main/trainval.txt", "0\n1\n2\n3\n")
        archive.writestr("ImageSets/Main/test.txt", "4\n5\n")
    return packed.getvalue()


@pytest.fixture
def images(sessions: Sessions, objects: ObjectStore, project_id: str) -> str:
    """A ready data set that can be trained on."""
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "noise")
        stored = objects.put(row.object_key, [voc()])
        row.size, row.sha256, row.state = stored.size, stored.sha256, "ready"
        return row.id


def test_a_whole_job_distils_from_a_finished_teacher(
    place: Workplace,
    register: Register,
    images: str,
    sessions: Sessions,
    project_id: str,
    objects: ObjectStore,
    look: Any,
    read: Read,
    tmp_path: Path,
) -> None:
    model_id = register(file_of(detector(), tmp_path))
    assert check_model(place, model_id)
    assert not check_model(place, model_id)
    report = read(model_id).report
    assert (report and report["differences"], report and report["tensors"]) == (0, len(detector().state_dict()))
    with sessions.begin() as session:
        job = jobs.create(session, project_id, job_of(images, model_id)).job

    take_turn(place, job.id, lambda _: None)

    done = look.job(job.id)
    assert (done.state, done.error) == ("succeeded", None)
    assert [one["role"] for one in done.result["trainings"]] == ["teacher", "imitated"]
    assert done.result["trainings"][0]["steps"] == 0
    # What the job's teacher was in the end is what was registered.
    with sessions.begin() as session:
        again = models.from_teacher(session, project_id, "the same", job.id).id
    check_model(place, again)
    row = read(again)
    taken = b"".join(objects.get(row.object_key))
    assert (row.state, row.size, row.sha256) == ("ready", len(taken), hashlib.sha256(taken).hexdigest())
    # And how it saw its images.
    assert parse(taken).metadata["resize"] == "fit"
    wanted = detector().state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in load(taken).items())


def test_a_file_that_says_nothing_of_itself_reaches_the_child_with_what_was_declared(
    place: Workplace, register: Register, images: str, sessions: Sessions, project_id: str
) -> None:
    bare = save({name: tensor.contiguous() for name, tensor in detector().state_dict().items()})
    model_id = register(bare, shapes=((8.0, 8.0), (16.0, 24.0), (30.0, 30.0)))
    with sessions.begin() as session:
        session.get_one(Model, model_id).state = "ready"
        job = jobs.create(session, project_id, job_of(images, model_id)).job

    with model_files(place, job.id) as files:
        told = safetensors.anchor_shapes(files["teacher"])
        assert told is not None
        assert (told.shapes, told.image_size) == (((8.0, 8.0), (16.0, 24.0), (30.0, 30.0)), SIZE)
        assert load(files["teacher"].read_bytes()).keys() == load(bare).keys()


def test_a_job_whose_model_was_deleted_fails_and_says_so(
    place: Workplace, register: Register, images: str, sessions: Sessions, project_id: str, look: Any
) -> None:
    model_id = register(b"")
    with sessions.begin() as session:
        row = session.get_one(Model, model_id)
        row.state = "ready"
        job = jobs.create(session, project_id, job_of(images, model_id)).job
        row.deleted_at = func.clock_timestamp()

    take_turn(place, job.id, lambda _: None)

    assert (look.job(job.id).state, look.job(job.id).error["code"]) == ("failed", "model_gone")
