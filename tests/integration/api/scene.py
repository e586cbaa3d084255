"""A project in which every call has something to answer: what the examples of `api/examples/` are made with.

The examples name things by ids that never change; `Scene.real` and `Scene.shown` go between these and the scene's own.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from safetensors.numpy import save
from sqlalchemy.orm import Session

from fgfi_core.spec import JobSpec
from fgfi_core.spec.evaluation import EvaluationSpec
from store import (
    artifacts,
    attempts,
    datasets,
    evaluations,
    exports,
    groups,
    jobs,
    keys,
    leases,
    logins,
    models,
    receiving,
    webhooks,
    workers,
)
from store.artifacts import NewArtifact
from store.attempts import NewMetric, Report, Trace
from store.database import Sessions
from store.events import NewEvent
from store.groups import Arm, NewGroup
from store.models import Architecture
from store.objects import ObjectStore, Stored
from store.principal import Principal
from store.queues import Placing
from store.settings import Settings
from store.tables import Thumbnail
from store.uploads import Asked, Limits

DETECTOR = "shuffledet-1x"
STUDENT = "shuffledet-0.25x"
HOUR = timedelta(hours=1)
MIB = 2**20


def archive() -> bytes:
    """A zip of one list, the same at any time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr(zipfile.ZipInfo("cells/ImageSets/Main/test.txt"), "BloodImage_00001\n")
    return buffer.getvalue()


EXPORTED = {
    "source_format": "voc",
    "images": 364,
    "boxes": 4888,
    "splits": {"train": 205, "val": 87, "test": 72},
    "classes": ["Platelets", "RBC", "WBC"],
    "losses": [{"what": "difficult marks; the boxes stay", "count": 12}],
    "renamed": {"BloodImage 00001": "images/train/BloodImage_00001.jpg"},
    "renamed_count": 1,
}
WEIGHTS = save({"a": np.zeros((2, 3), dtype=np.float32)})
CONTENT = {"archive": archive(), "weights": WEIGHTS}


@dataclass(frozen=True)
class Scene:
    """What there is: the examples' id of each thing, and its own."""

    ids: dict[str, str]

    def real(self, example: Any) -> Any:
        """An example's request with the ids of this scene."""
        return self._swapped(example, self.ids.items())

    def shown(self, answer: Any) -> Any:
        """An answer with the ids of the examples."""
        return self._swapped(answer, [(real, shown) for shown, real in self.ids.items()])

    @staticmethod
    def _swapped(value: Any, pairs: Any) -> Any:
        text = json.dumps(value)
        for before, after in pairs:
            text = text.replace(before, after)
        return json.loads(text)


def name(prefix: str, word: str) -> str:
    """An id that looks like one and says what it stands for."""
    return f"{prefix}_{word}{'0' * (22 - len(word))}"


def build(sessions: Sessions, objects: ObjectStore, settings: Settings, project_id: str) -> Scene:
    """Fill a project."""
    place = _Place(sessions, objects, project_id)
    ids = {name("prj", "Cells"): project_id, name("ds", "Cells"): place.dataset()}
    spec = _spec(ids[name("ds", "Cells")])
    ids[name("exp", "Yolo")] = place.export(ids[name("ds", "Cells")])
    ids[name("job", "Done")], ids[name("art", "Student")] = place.done(spec)
    ids[name("job", "Queued")] = place.job(spec)
    ids[name("job", "Paused")] = place.job(spec)
    ids[name("job", "Failed")] = place.failed(spec)
    ids[name("mdl", "Teacher")] = place.model()
    ids[name("job", "Measured")] = place.evaluation(place.model(), ids[name("ds", "Cells")])
    ids[name("up", "Open")] = place.upload("smears")
    ids[name("up", "Sent")] = place.upload("smears, second half", sent=True)
    with sessions.begin() as session:
        jobs.pause(session, project_id, ids[name("job", "Paused")])
        hook = webhooks.create(session, project_id, "https://example.com/hooks/fgfi", ["job.succeeded", "job.failed"])
        ids[name("whk", "Hook")] = hook.id
        ids[name("msg", "Test")] = webhooks.try_out(session, project_id, hook.id).id
        made = keys.create(session, project_id, "ci", ["submit"], settings.secret_key)
        ids[name("key", "Ci")] = made.row.id
        desk = logins.open_session(session, Principal(project_id, frozenset({"read"}), user="ada"), HOUR)
        ids[name("ses", "Desk")] = desk.id
        arm = Arm("whole map", {"method": {"name": "full-feature"}}, spec, Placing())
        ids[name("grp", "Psi")] = groups.create(session, project_id, NewGroup("psi", spec, [arm])).id
        _worker(session, ids[name("job", "Measured")])
    return Scene(ids)


@dataclass(frozen=True)
class _Place:
    sessions: Sessions
    objects: ObjectStore
    project_id: str

    def dataset(self) -> str:
        with self.sessions.begin() as session:
            row = datasets.begin(session, self.project_id, "cells")
            stored = self.objects.put(row.object_key, [b"PK"])
            row.size, row.sha256, row.state = stored.size, stored.sha256, "ready"
            row.report = {"images": 364, "classes": {"RBC": 4155, "WBC": 372, "Platelets": 361}, "problems": []}
            picture = self.objects.put(f"datasets/{row.id}/thumbnails/1.webp", [b"RIFF"])
            session.add(_thumbnail(row.id, picture))
            return row.id

    def export(self, dataset_id: str) -> str:
        with self.sessions.begin() as session:
            row = exports.create(session, self.project_id, dataset_id, "yolo", HOUR)
            taken = exports.claim(session, row.id, HOUR, HOUR)
            assert taken is not None
            stored = self.objects.put(f"datasets/{dataset_id}/exports/{row.id}.zip", [b"PK"])
            token = str(taken[0].check_token)
            return exports.finish(session, row.id, token, HOUR, report=EXPORTED, archive=stored).id

    def job(self, spec: JobSpec) -> str:
        with self.sessions.begin() as session:
            return jobs.create(session, self.project_id, spec).job.id

    def claimed(self, spec: JobSpec) -> leases.Lease:
        job_id = self.job(spec)
        with self.sessions.begin() as session:
            claim = leases.claim(session, job_id, worker_id="worker-1", lease=HOUR, device="cpu")
        assert claim is not None
        return claim.lease

    def done(self, spec: JobSpec) -> tuple[str, str]:
        lease = self.claimed(spec)
        stored = self.objects.put(f"jobs/{lease.job_id}/student.onnx", [b"onnx"])
        new = NewArtifact(
            "exports/student.onnx",
            "onnx",
            "exports/student.onnx",
            stored.key,
            "application/octet-stream",
            stored.size,
            stored.sha256,
            {"map50": 0.61},
        )
        with self.sessions.begin() as session:
            attempts.write(session, lease, _report())
            artifact = artifacts.publish(session, lease, new)
            attempts.succeed(session, lease, {"gap_closed": 0.42}, Trace("The run is done."))
        return lease.job_id, artifact.id

    def failed(self, spec: JobSpec) -> str:
        lease = self.claimed(spec)
        error = {"code": "bad_data", "message": "image 7 cannot be read", "hint": "Replace it."}
        with self.sessions.begin() as session:
            attempts.fail(session, lease, error, Trace("image 7 cannot be read"))
        return lease.job_id

    def model(self) -> str:
        with self.sessions.begin() as session:
            told = Architecture(DETECTOR, ("RBC", "WBC", "Platelets"), (320, 240), ())
            row = models.begin(session, self.project_id, "teacher of cells", told)
            stored = self.objects.put(row.object_key, [WEIGHTS])
            row.size, row.sha256, row.state = stored.size, stored.sha256, "ready"
            return row.id

    def evaluation(self, model_id: str, dataset_id: str) -> str:
        asked = {"name": "teacher again", "model": model_id, "dataset": {"id": dataset_id}}
        with self.sessions.begin() as session:
            return evaluations.create(session, self.project_id, EvaluationSpec.model_validate(asked)).job.id

    def upload(self, called: str, *, sent: bool = False) -> str:
        body = CONTENT["archive"]
        limits = Limits(MIB, 5 * MIB, None, HOUR)
        asked = Asked(called, len(body), "application/zip", None)
        row = receiving.begin(self.sessions, self.objects, self.project_id, asked, limits)
        if sent:
            receiving.take_part(self.sessions, self.objects, row, 1, iter([body]), None)
        return row.id


def _thumbnail(dataset_id: str, stored: Stored) -> Thumbnail:
    return Thumbnail(
        dataset_id=dataset_id,
        number=1,
        image="BloodImage_00001",
        split="test",
        width=320,
        height=240,
        boxes=[{"label": "WBC", "box": [12.5, 30.0, 96.0, 110.5]}],
        object_key=stored.key,
        size=stored.size,
        sha256=stored.sha256,
    )


def _worker(session: Session, job_id: str) -> None:
    gib = 2**30
    workers.seen(
        session,
        "gpu-1-4711-a3f9c2",
        hostname="gpu-1",
        pid=4711,
        queues=["jobs", "jobs.gpu"],
        device="cuda: NVIDIA L4",
        job_id=job_id,
        classes=["gpu"],
        devices=[{"name": "NVIDIA L4", "memory": 24 * gib}],
        load={
            "busy": 0.31,
            "processors": 16,
            "memory_used": 11 * gib,
            "memory": 64 * gib,
            "devices": [{"busy": 0.97, "memory_used": 9 * gib}],
        },
    )


def _spec(dataset_id: str) -> JobSpec:
    return JobSpec.model_validate(
        {
            "name": "cells-quarter",
            "dataset": {"id": dataset_id, "train": "trainval", "val": "test"},
            "teacher": {"detector": DETECTOR},
            "student": {"detector": STUDENT},
            "schedule": {"epochs": 30},
        }
    )


def _report() -> Report:
    return Report(
        1,
        stage="imitation",
        events=[
            NewEvent("stage_started", {"stage": "imitation"}),
            NewEvent("log", {"level": "info", "message": "epoch 1 is done", "code": ""}),
        ],
        metrics=[*_values("teacher", (0.4, 0.8)), *_values("baseline", (0.2, 0.5)), *_values("imitation", (0.3, 0.6))],
    )


def _values(stage: str, values: Sequence[float]) -> list[NewMetric]:
    return [NewMetric(stage, 0, "val/map50", step, float(step), value) for step, value in enumerate(values, start=1)]
