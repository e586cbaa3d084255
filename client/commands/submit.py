"""`fgfi submit`: queue a job, and follow it when asked."""

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from client import spec_file
from client.commands import datasets
from client.commands.dry_run import tell
from client.errors import EXIT_JOB_CANCELLED, EXIT_JOB_FAILED, EXIT_USAGE, ClientError
from client.models import Job, StreamEvent
from client.output import JsonOption, console, print_exports, print_json, print_scores
from client.progress import Drawing, drawing, feed
from client.sdk import Fgfi

Priority = Literal["low", "normal", "high"]


def submit(
    spec: Annotated[Path, typer.Argument(metavar="JOB.YAML", help="The job spec, YAML or JSON.")],
    dataset: Annotated[
        str | None, typer.Option(help="Id or name of a ready data set; takes the place of the spec's id.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Stay until the job's end and draw its progress.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check it, tell what it becomes and how long it takes; queue nothing."),
    ] = False,
    priority: Annotated[
        Priority, typer.Option(help="Before or after the other jobs that wait: low, normal or high.")
    ] = "normal",
    device_class: Annotated[
        str | None,
        typer.Option(help="Which workers may take it: any, cpu, gpu or a named class; default: by resources.device."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Queue a job. With --follow the exit code says how it ended; Ctrl-C leaves it running."""
    if dry_run and follow:
        raise ClientError("--dry-run queues nothing that could be followed: leave one out", exit_code=EXIT_USAGE)
    checked = spec_file.read(spec, dataset=dataset)
    if checked.dataset.id is None:
        raise ClientError(
            f"{spec} names no data set",
            hints=("add one with `fgfi datasets add FOLDER` and pass its name or id: --dataset NAME",),
            exit_code=EXIT_USAGE,
        )
    with Fgfi.connect() as service:
        content = checked.model_dump(mode="json")
        if dataset is not None:
            content["dataset"]["id"] = datasets.find(service, dataset).id
        if dry_run:
            tell(service.dry_run(content, priority, device_class), as_json=as_json)
            return
        job = service.submit(content, priority, device_class)
        if not as_json:
            console.print(f"{job.id} is {job.state}", markup=False)
        if follow:
            job = follow_to_end(service, job, quiet=as_json)
    if as_json:
        print_json(job.model_dump(mode="json"))
    elif follow:
        print_scores(job.scores)
        print_exports((job.result or {}).get("exports") or [])
    if job.over:
        raise_unless_succeeded(job)


def follow_to_end(service: Fgfi, job: Job, *, quiet: bool) -> Job:
    """Draw the job's events until it is over; returns it as it ended."""
    try:
        with drawing(console, quiet=quiet) as picture:
            for event in service.follow(job.id):
                # A newer service may spell an event otherwise; the job matters more than its picture.
                with contextlib.suppress(KeyError, TypeError, ValueError):
                    _draw(service, job.id, picture, event)
    except KeyboardInterrupt:
        if not quiet:
            console.print(f"{job.id} goes on; see it with `fgfi show {job.id}`", markup=False)
        raise
    return service.job(job.id)


def _draw(service: Fgfi, job_id: str, picture: Drawing, event: StreamEvent) -> None:
    if event.kind == "state":
        if event.data.get("message"):
            picture.say(f"{event.data.get('to')}: {event.data['message']}")
        return
    if event.kind == "progress" and picture.wants_metrics():
        for measured in service.latest_metrics(job_id):
            picture.measure(measured.stage, measured.seed, measured.values)
    feed(picture, event.kind, event.data)


def raise_unless_succeeded(job: Job) -> None:
    """Turn a bad end into an error with the exit code for it."""
    if job.state == "cancelled":
        raise ClientError(f"{job.id} was cancelled", exit_code=EXIT_JOB_CANCELLED, code="cancelled")
    if job.state == "failed":
        error = job.error
        raise ClientError(
            f"{job.id} failed: {error.message if error else 'no reason was given'}",
            hints=(error.hint,) if error and error.hint else (),
            exit_code=EXIT_JOB_FAILED,
            code=error.code if error else "",
        )
