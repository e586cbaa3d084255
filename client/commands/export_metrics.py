"""`fgfi export-metrics`: a job's curves for TensorBoard or MLflow."""

from pathlib import Path
from typing import Annotated

import typer

from client import mlflow_runs, tensorboard_files
from client.commands.jobs import JobArgument
from client.errors import EXIT_USAGE, ClientError
from client.output import JsonOption, console, print_json
from client.sdk import Fgfi


def export_metrics(
    job_id: JobArgument,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write TensorBoard's event files below this folder.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(metavar="URI", help="Make a run on this MLflow tracking server (or sqlite:///FILE).")
    ] = None,
    experiment: Annotated[str, typer.Option(help="MLflow's experiment; made when missing.")] = mlflow_runs.EXPERIMENT,
    as_json: JsonOption = False,
) -> None:
    """Hand a job's curves to TensorBoard or MLflow; needs the extra of that name."""
    if tensorboard is None and mlflow is None:
        raise ClientError("where to? name --tensorboard DIR or --mlflow URI", exit_code=EXIT_USAGE)
    with Fgfi.connect() as service:
        job = service.job(job_id)
        curves = service.curves(job_id)
    done: dict[str, str] = {}
    if tensorboard is not None:
        folder = tensorboard / job.id
        when = (job.started_at or job.created_at).timestamp()
        tensorboard_files.write(folder, curves, when)
        done["tensorboard"] = str(folder)
    if mlflow is not None:
        done["mlflow_run"] = mlflow_runs.write(mlflow, job, curves, experiment)
    if as_json:
        print_json({"job": job.id, "curves": len(curves), **done})
        return
    for kind, where in done.items():
        console.print(f"{len(curves)} curves of {job.id}: {kind} {where}", markup=False, soft_wrap=True)
