"""All that a job measured, as a table for other programs."""

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import IO

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from api.dashboard.access import Resident
from api.deps import ServiceDep
from api.scores import ROLE_OF_STAGE
from api.service import Service
from store import jobs, metrics

router = APIRouter(include_in_schema=False, prefix="/jobs/{job_id}")

COLUMNS = ("stage", "role", "seed", "name", "step", "epoch", "time", "value")
IN_MEMORY = 1 << 20
PIECE = 1 << 16


@router.get("/metrics.csv")
def save_metrics(job_id: str, resident: Resident, service: ServiceDep) -> Response:
    """Every point of every series, unthinned. Written down first, so that a slow download holds no connection."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed once it is sent
    try:
        _write(service, resident.project_id, job_id, file)
    except BaseException:
        file.close()
        raise
    headers = {"content-disposition": f'attachment; filename="{job_id}-metrics.csv"', "cache-control": "no-store"}
    return StreamingResponse(_pieces(file), headers=headers, media_type="text/csv; charset=utf-8")


def _write(service: Service, project_id: str, job_id: str, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    with service.sessions.begin() as session:
        jobs.get(session, project_id, job_id)
        for (stage, seed, name), point in metrics.every_point(session, project_id, job_id):
            role = ROLE_OF_STAGE.get(stage, "")
            when = point.time.isoformat()
            rows.writerow((stage, role, seed, name, point.step, point.epoch, when, point.value))
    text.detach()
    file.seek(0)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
