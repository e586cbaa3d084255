"""What each field that says `auto` becomes, as far as it is known before a worker has the job."""

from collections.abc import Iterator

from api.schemas.dry_run import Choice
from fgfi_core.spec import JobSpec, recipes
from fgfi_core.spec.estimate import Device

WAITS = "known once a worker takes it: it depends on the device"


def choices(spec: JobSpec, device: Device | None, train_images: int | None) -> Iterator[Choice]:
    """Each field that says `auto`, or that a registered model fills in. None for a device or count: not known yet."""
    yield from _models(spec)
    yield from _schedule(spec, device, train_images)
    yield from _resources(spec, device)
    yield from _weights(spec)


def _models(spec: JobSpec) -> Iterator[Choice]:
    for side, part in (("teacher", spec.teacher), ("student", spec.student)):
        if part.model is not None:
            yield Choice(path=f"{side}.detector", value=part.detector, note=f"of model {part.model}")


def _schedule(spec: JobSpec, device: Device | None, train_images: int | None) -> Iterator[Choice]:
    schedule = spec.schedule
    known = device is not None and (train_images is not None or schedule.batch_size != "auto")
    batch_size: int | None = None
    if known and device:
        batch_size = recipes.batch_size(schedule.batch_size, device, train_images or 0, spec.resources.count)
    if schedule.batch_size == "auto":
        note = f"for {device}, and no more than there are training images" if batch_size else WAITS
        yield Choice(path="schedule.batch_size", value=batch_size, note=note)
    if schedule.learning_rate == "auto":
        rate, note = None, WAITS
        if batch_size is not None:
            rate = recipes.learning_rate("auto", spec.student.detector, schedule.optimizer, batch_size)
            note = "the recipe of the student's family at this batch size"
        yield Choice(path="schedule.learning_rate", value=rate, note=note)
    if schedule.resize == "auto":
        size = schedule.image_size
        way = recipes.resize("auto", spec.student.detector, size, spec.teacher.image_size or size)
        yield Choice(path="schedule.resize", value=way, note="as the student's family is trained")
    if schedule.micro_batch == "auto":
        note = "measured by the pre-flight, on the worker: as many images as fit into memory"
        yield Choice(path="schedule.micro_batch", value=None, note=note)
    if schedule.precision == "auto":
        note = "CPUs compute in full precision" if device == "cpu" else "bf16 where the graphics card has it"
        yield Choice(path="schedule.precision", value="fp32" if device == "cpu" else None, note=note)


def _resources(spec: JobSpec, device: Device | None) -> Iterator[Choice]:
    resources = spec.resources
    if resources.device == "auto":
        note = "what the workers there have" if device else "no worker is there to ask"
        yield Choice(path="resources.device", value=device, note=note)
    if resources.threads == "auto":
        yield Choice(path="resources.threads", value=None, note="by the cores of the worker's machine")
    if resources.loader_workers == "auto":
        note = "a loader would take the cores that train" if device == "cpu" else "beside a GPU, by the worker's cores"
        yield Choice(path="resources.loader_workers", value=0 if device == "cpu" else None, note=note)


def _weights(spec: JobSpec) -> Iterator[Choice]:
    steps = getattr(spec.method, "balance_steps", 0)
    for field in ("weight", "soft_weight"):
        if getattr(spec.method, field, None) == "auto":
            note = f"measured over the first {steps} steps of the imitating student, then frozen"
            yield Choice(path=f"method.{field}", value=None, note=note)
