"""`fgfi jobs`, `fgfi show`, `fgfi cancel`."""

from typing import Annotated

import typer
from rich.markup import escape

from client.models import Job
from client.output import JsonOption, console, percent, print_exports, print_json, print_scores, print_table
from client.sdk import Fgfi

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, such as job_4fJ0....")]


def jobs(
    state: Annotated[list[str] | None, typer.Option(help="Only jobs in this state; may be given again.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List jobs, newest first."""
    with Fgfi.connect() as service:
        found = service.jobs(state, limit)
    if as_json:
        print_json([job.model_dump(mode="json") for job in found])
        return
    rows = [
        (
            job.id,
            job.name,
            job.state,
            job.stage,
            percent(job.scores.teacher),
            percent(job.scores.plain),
            percent(job.scores.imitated),
            f"{job.created_at:%Y-%m-%d %H:%M}",
        )
        for job in found
    ]
    print_table(("id", "name", "state", "stage", "teacher", "plain", "imitated", "created (UTC)"), rows)


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
        job = service.cancel(job_id)
    if as_json:
        print_json(job.model_dump(mode="json"))
        return
    console.print(f"{job.id} is {job.state}", markup=False)


def print_job(job: Job) -> None:
    """One job for people."""
    console.print(f"[bold]{escape(job.name)}[/]  {job.id}  {job.state}" + (f" ({job.stage})" if job.stage else ""))
    if job.progress and not job.over:
        console.print(f"  step {job.progress.get('step')}/{job.progress.get('steps')}", markup=False)
    if job.error:
        console.print(f"  [red]{escape(job.error.message)}[/]", soft_wrap=True)
        if job.error.hint:
            console.print(f"  {escape(job.error.hint)}", soft_wrap=True)
    print_scores(job.scores)
    print_exports((job.result or {}).get("exports") or [])
