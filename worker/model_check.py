"""The check of a model: its weights are fetched, and a process of their own holds them against the detector.

A teacher of a job is first taken out of the checkpoint of its finished training. The worker itself never loads torch.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from hashlib import file_digest
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from store import check_leases, models
from store.errors import LeaseLost, StoreError
from store.models import Weights
from store.objects import read_file
from store.objects.errors import StorageAway
from store.tables import Checkpoint, Model
from store.tables.base import Json
from worker.checks import Renewal
from worker.environment import child_environment
from worker.materialise import download
from worker.model_inspection import ANSWER, ASKED, CHECKPOINT, WEIGHTS, Asked, Found
from worker.scratch import attempt_folder
from worker.workplace import Workplace

log = logging.getLogger(__name__)

INSPECTION = (sys.executable, "-P", "-m", "worker.model_inspection")
SECONDS = 600.0
HINT = "Give the weights of the declared detector, with as many classes; the report lists every tensor that differs."


class InspectionBroken(StoreError):
    """The process that looks at the weights gave no answer: tried again a few times."""

    code = "inspection_broken"


def check_model(place: Workplace, model_id: str, command: Sequence[str] = INSPECTION) -> bool:
    """Check a model once. False: there was nothing to do (checked, taken by another, deleted)."""
    lease = timedelta(seconds=place.settings.lease_seconds)
    with place.sessions.begin() as session:
        row = models.claim_check(session, model_id, lease)
        checkpoint = models.checkpoint_of(session, row) if row is not None else None
        resize = models.resize_of(session, row) if row is not None else "stretch"
    if row is None or row.check_token is None:
        return False
    token = row.check_token
    report: Json | None = None
    written: Weights | None = None
    with Renewal(place, row.id, lambda session, lease: check_leases.renew(session, Model, row.id, token, lease)):
        try:
            if row.checkpoint_id is not None and checkpoint is None:
                error: Json | None = _gone(row)
            else:
                report, error, written = _verdict(place, row, checkpoint, _asked(row, resize), command)
        except StoreError as broken:
            # The weights could not be had: left to expire, and then checked again, a few times.
            log.warning("check of model %s broke: %s", model_id, broken)
            if isinstance(broken, StorageAway):
                with place.sessions.begin() as session:
                    check_leases.excuse(session, Model, row.id, token)
            return True
    try:
        with place.sessions.begin() as session:
            models.finish_check(session, row.id, token, report=report, error=error, written=written)
    except LeaseLost as lost:
        log.warning("check of model %s discarded: %s", model_id, lost)
    return True


def _verdict(
    place: Workplace, row: Model, checkpoint: Checkpoint | None, asked: Asked, command: Sequence[str]
) -> tuple[Json | None, Json | None, Weights | None]:
    """The report, the error that rejects the model, and the object if one was written."""
    folder = place.scratch / f"{row.id}-{row.checks}"
    with attempt_folder(folder):
        if checkpoint is None:
            size, sha256 = row.size or 0, row.sha256 or ""
            download(place.objects, row.object_key, folder / WEIGHTS, size=size, sha256=sha256)
        else:
            key, size, sha256 = checkpoint.object_key, checkpoint.size, checkpoint.sha256
            download(place.objects, key, folder / CHECKPOINT, size=size, sha256=sha256)
        found = _inspect(place, asked, folder, command)
        report = found.model_dump(mode="json", exclude={"error"})
        if found.error is not None:
            return report, found.error, None
        if not found.fits:
            message = f"the weights do not fit '{row.detector}' with {len(row.classes)} classes: {found.summary}"
            return report, {"code": "unfit_weights", "message": message, "hint": HINT}, None
        return report, None, _stored(place, row, folder / WEIGHTS) if checkpoint is not None else None


def _asked(row: Model, resize: Literal["stretch", "fit"]) -> Asked:
    declared = models.architecture_of(row)
    return Asked(
        detector=declared.detector,
        classes=declared.classes,
        image_size=declared.image_size,
        anchor_shapes=declared.anchor_shapes,
        resize=resize,
    )


def _inspect(place: Workplace, asked: Asked, folder: Path, command: Sequence[str]) -> Found:
    (folder / ASKED).write_text(asked.model_dump_json(), encoding="utf-8")
    environment = child_environment(os.environ, folder, place.settings.worker_threads)
    try:
        done = subprocess.run(
            [*command, str(folder)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode == 0:
            return Found.model_validate_json((folder / ANSWER).read_bytes())
        reason = f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}"
    except (subprocess.TimeoutExpired, OSError, ValidationError) as error:
        reason = str(error)
    raise InspectionBroken(f"the inspection gave no answer: {reason}")


def _stored(place: Workplace, row: Model, file: Path) -> Weights:
    with file.open("rb") as source:
        sha256 = file_digest(source, "sha256").hexdigest()
    stored = place.objects.put(row.object_key, read_file(file), size=file.stat().st_size, sha256=sha256)
    return Weights(stored.key, stored.size, stored.sha256)


def _gone(row: Model) -> Json:
    message = f"job '{row.job_id}' was deleted before its teacher was taken out of it"
    return {"code": "job_gone", "message": message, "hint": "Take the teacher of a job that is there."}
