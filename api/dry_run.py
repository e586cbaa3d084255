"""What a job would be, told without making it: what `auto` becomes, where it waits, how long it takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from api import automatic
from api.schemas.dry_run import DryRunOut, EstimateOut, PlaceOut
from api.scores import ROLE_OF_STAGE
from fgfi_core.spec import JobSpec, recipes
from fgfi_core.spec.estimate import ENOUGH, Device, Estimate, Past, estimate
from fgfi_core.spec.workload import Role
from store import past_jobs, turns, workers
from store.jobs import Prepared
from store.past_jobs import PastJob
from store.queues import Placing, class_of
from store.tables import Worker

ASSUMED: Mapping[str, Device] = {"gpu": "cuda"}
"""What a class of devices computes on while no worker of it is there; all others count as CPUs."""


def tell(session: Session, project_id: str, prepared: Prepared, placing: Placing) -> DryRunOut:
    """Everything; only reads."""
    spec = prepared.spec
    there = workers.serving(session, placing.queue)
    device = _device(spec, there)
    assumed: Device = device or ASSUMED.get(class_of(placing.queue), "cpu")
    images = _images(prepared)
    return DryRunOut(
        spec=spec.model_dump(mode="json"),
        resolved=list(automatic.choices(spec, device, images[0] if images else None)),
        place=PlaceOut(
            device_class=class_of(placing.queue),
            priority=placing.priority,
            ahead=turns.count_ahead(session, placing),
            workers=len(there),
            device=device,
        ),
        estimate=_estimate(session, project_id, spec, assumed, images) if images else None,
    )


def _device(spec: JobSpec, there: Sequence[Worker]) -> Device | None:
    """As the spec says, else as the workers that may take it have; a CPU only where none of them has more."""
    if spec.resources.device != "auto":
        return spec.resources.device
    if not there:
        return None
    return "cuda" if any(worker.devices for worker in there) else "cpu"


def _images(prepared: Prepared) -> tuple[int, int] | None:
    """Of the training and of the measured split, where the check counted them."""
    splits: Mapping[str, Any] = (prepared.dataset.report or {}).get("splits") or {}
    asked = prepared.spec.dataset
    counts = [(splits.get(name) or {}).get("images") for name in (asked.train, asked.val)]
    return (int(counts[0]), int(counts[1])) if counts[0] and counts[1] else None


def _estimate(session: Session, project_id: str, spec: JobSpec, device: Device, images: tuple[int, int]) -> EstimateOut:
    found = past_jobs.of_pair(session, project_id, spec.teacher.detector, spec.student.detector, device)
    batch_size = recipes.batch_size(spec.schedule.batch_size, device, images[0], spec.resources.count)
    made = estimate(spec, device, batch_size, images, [past for one in found if (past := _past(one))])
    return EstimateOut(
        total_seconds=round(made.total, 1),
        low_seconds=round(made.low, 1),
        high_seconds=round(made.high, 1),
        seconds={role: round(seconds, 1) for role, seconds in made.seconds.items()},
        around_seconds=round(made.around, 1),
        steps=made.steps,
        disk_bytes=made.disk_bytes,
        device=device,
        basis=made.basis,
        jobs=made.jobs,
        sure=made.sure,
        note=_note(made, device),
    )


def _note(made: Estimate, device: Device) -> str:
    where = "on a CPU" if device == "cpu" else "on a graphics card"
    if made.basis == "catalogue":
        return f"By the detectors' multiply-adds and a common speed {where}: right within a factor of four or so."
    jobs = "job" if made.jobs == 1 else "jobs"
    few = "" if made.jobs >= ENOUGH else "; surer with more of them"
    return f"By {made.jobs} past {jobs} of this pair {where}{few}."


def _past(job: PastJob) -> Past | None:
    """Seconds per pixel of each role; None for a job whose record says too little."""
    try:
        spec = JobSpec.model_validate(job.resolved["spec"])
        batch_size = int(spec.schedule.batch_size)
        sizes = {"teacher": spec.teacher.image_size or spec.schedule.image_size}
        seconds: dict[Role, float] = {}
        pixels: dict[Role, float] = {}
        for one in job.result["trainings"]:
            role: Role = one["role"]
            width, height = sizes.get(role, spec.schedule.image_size)
            seconds[role] = seconds.get(role, 0.0) + one["seconds"]
            pixels[role] = pixels.get(role, 0.0) + one["steps"] * batch_size * width * height
    except (KeyError, TypeError, ValueError):
        return None
    known = {role: seconds[role] / pixels[role] for role in ROLE_OF_STAGE.values() if pixels.get(role)}
    return Past(known, job.around_seconds)
