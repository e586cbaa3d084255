"""`fgfi jobs`, `fgfi show`, and what can be done to a job: cancel, pause, resume, retry, delete, clone."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from client.completion import job_ids
from client.errors import EXIT_USAGE, ClientError
from client.models import Attempt, Job
from client.output import (
    JsonOption,
    age,
    console,
    duration,
    percent,
    print_exports,
    print_json,
    print_scores,
    print_table,
)
from client.sdk import Fgfi

JobArgument = Annotated[
    str, typer.Argument(metavar="JOB", help="A job's id, such as job_4fJ0....", autocompletion=job_ids)
]


def jobs(
    state: Annotated[list[str] | None, typer.Option(help="Only jobs in this state; may be given again.")] = None,
    group: Annotated[str | None, typer.Option(help="Only jobs of this group.")] = None,
    detector: Annotated[str | None, typer.Option(help="Only jobs with this teacher or student.")] = None,
    method: Annotated[str | None, typer.Option(help="Only jobs of this distillation method.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY:VALUE", help="Only jobs that say so; given again, all must hold.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List jobs, newest first."""
    with Fgfi.connect() as service:
        found = service.jobs(state, limit, group, detector=detector, method=method, metadata=metadata or ())
    if as_json:
        print_json([job.model_dump(mode="json") for job in found])
        return
    print_jobs(found)


def show(job_id: JobArgument, as_json: JsonOption = False) -> None:
    """Show one job: where it is, what it scored, why it failed."""
    with Fgfi.connect() as service:
        job = service.job(job_id)
    if as_json:
        print_json(job.model_dump(mode="json"))
        return
    print_job(job)


def cancel(job_id: JobArgument, as_json: JsonOption = False) -> None:
    """Ask a job to end; a running one stops within seconds."""
    with Fgfi.connect() as service:
        _print_state(service.cancel(job_id), as_json)


def pause(job_id: JobArgument, as_json: JsonOption = False) -> None:
    """Let a job rest; a running one writes a checkpoint first and frees its worker."""
    with Fgfi.connect() as service:
        _print_state(service.pause(job_id), as_json)


def resume(job_id: JobArgument, as_json: JsonOption = False) -> None:
    """Queue a paused job again; it goes on from its newest checkpoint."""
    with Fgfi.connect() as service:
        _print_state(service.resume(job_id), as_json)


def retry(job_id: JobArgument, as_json: JsonOption = False) -> None:
    """Queue a failed or cancelled job again; it goes on from its newest checkpoint."""
    with Fgfi.connect() as service:
        _print_state(service.retry(job_id), as_json)


def delete(job_id: JobArgument) -> None:
    """Delete a job that is over, with its files; it cannot be brought back."""
    with Fgfi.connect() as service:
        service.delete(job_id)
    console.print(f"{job_id} is deleted", markup=False)


def clone(
    job_id: JobArgument,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field, as schedule.epochs=60; may be given again."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Queue a new job with the same spec, or with some fields changed."""
    patch = merge_patch(changes or ())
    with Fgfi.connect() as service:
        _print_state(service.clone(job_id, patch), as_json)


def merge_patch(changes: Sequence[str]) -> dict[str, Any]:
    """`schedule.epochs=60` as {"schedule": {"epochs": 60}}; a value is JSON, or else text. Raises ClientError."""
    patch: dict[str, Any] = {}
    for change in changes:
        path, equals, text = change.partition("=")
        *parents, field = path.split(".")
        inner: Any = patch
        for name in parents:
            inner = inner.setdefault(name, {}) if name and isinstance(inner, dict) else None
        if not (equals and field and isinstance(inner, dict)):
            raise ClientError(
                f"--set {change}: not of the form FIELD=VALUE, or within a field that is set as a whole",
                hints=("for instance --set schedule.epochs=60",),
                exit_code=EXIT_USAGE,
            )
        try:
            inner[field] = json.loads(text)
        except ValueError:
            inner[field] = text
    return patch


def _print_state(job: Job, as_json: bool) -> None:
    if as_json:
        print_json(job.model_dump(mode="json"))
        return
    console.print(f"{job.id} is {job.state}", markup=False)


def print_jobs(jobs: Sequence[Job]) -> None:
    """Jobs for people, a line each; the mAP50 of the three detectors in percent."""
    rows = []
    for job in jobs:
        scores = (job.scores.teacher, job.scores.plain, job.scores.imitated)
        rows.append((job.id, job.name, job.state, *map(percent, scores), age(job.created_at)))
    print_table(("id", "name", "state", "teacher", "plain", "imitated", "age"), rows, shorten="name")


def print_job(job: Job) -> None:
    """One job for people."""
    stage = f" ({job.stage})" if job.stage and not job.over else ""
    console.print(f"[bold]{escape(job.name)}[/]  {job.id}  {job.state}{stage}", soft_wrap=True)
    console.print(f"  {_facts(job)}", markup=False, soft_wrap=True)
    if job.progress and not job.over:
        console.print(f"  step {job.progress.get('step')}/{job.progress.get('steps')}", markup=False)
    if job.error:
        console.print(f"  [red]{escape(job.error.message)}[/]", soft_wrap=True)
        if job.error.hint:
            console.print(f"  {escape(job.error.hint)}", soft_wrap=True)
    print_scores(job.scores)
    print_exports((job.result or {}).get("exports") or [])
    if job.attempts:
        console.print()
        rows = [(one.number, one.outcome or "running", _reached(one), one.device, _length(one)) for one in job.attempts]
        # Why an attempt ended well needs no words; why the job failed was said above.
        said = job.error.message if job.error else None
        notes = ["" if one.outcome == "succeeded" or one.message == said else one.message or "" for one in job.attempts]
        print_table(("attempt", "outcome", "reached", "device", "took"), rows, notes=notes, shorten="device")


def _facts(job: Job) -> str:
    parts = [f"data set {job.dataset_id}", f"made {age(job.created_at)} ago"]
    if job.started_at:
        parts.append(f"took {duration(((job.finished_at or datetime.now(UTC)) - job.started_at).total_seconds())}")
    return ", ".join(parts)


def _reached(attempt: Attempt) -> str:
    step = f" {attempt.last_step}" if attempt.last_step else ""
    return f"{attempt.last_stage}{step}" if attempt.last_stage else ""


def _length(attempt: Attempt) -> str:
    return duration(((attempt.ended_at or datetime.now(UTC)) - attempt.started_at).total_seconds())
