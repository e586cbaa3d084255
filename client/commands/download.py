"""`fgfi download`: the files of a job."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from client.commands.jobs import JobArgument
from client.errors import EXIT_REFUSED, ClientError
from client.models import Artifact
from client.output import JsonOption, console, print_json, size
from client.sdk import Fgfi
from client.transfer_bar import transfer_bar


def download(
    job_id: JobArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to; made when missing.")] = Path(),
    only: Annotated[list[str] | None, typer.Option(help="Only this format, such as onnx; may be given again.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Download what a job made: exports of the student and the report."""
    with Fgfi.connect() as service:
        there = service.artifacts(job_id)
        wanted = [artifact for artifact in there if not only or artifact.format in only]
        if not there:
            hint = f"it is {service.job(job_id).state}; a job has files once its export is done"
            raise ClientError(f"{job_id} has no files", hints=(hint,), exit_code=EXIT_REFUSED)
        if not wanted:
            formats = ", ".join(sorted({artifact.format for artifact in there}))
            raise ClientError(
                f"{job_id} has no file of format {' or '.join(only or ())}",
                hints=(f"it has: {formats}",),
                exit_code=EXIT_REFUSED,
            )
        with transfer_bar(quiet=as_json) as bar:
            tasks = [bar.add_task(artifact.name, total=artifact.size) for artifact in wanted]
            paths = [
                fetch(service, artifact, out, partial(bar.advance, task))
                for artifact, task in zip(wanted, tasks, strict=True)
            ]
    if as_json:
        print_json(
            [
                {"path": str(path), "format": a.format, "size": a.size, "sha256": a.sha256}
                for path, a in zip(paths, wanted, strict=True)
            ]
        )
        return
    for path, artifact in zip(paths, wanted, strict=True):
        console.print(f"{path}  {size(artifact.size)}", markup=False)


def fetch(
    service: Fgfi, artifact: Artifact, folder: Path, on_bytes: Callable[[int], None] = lambda _count: None
) -> Path:
    """Write one file into the folder, under its own name and nowhere else."""
    name = Path(artifact.name).name
    if not name or name in {".", ".."}:
        raise ClientError(f"the service names a file '{artifact.name}', which cannot be written")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return service.download(artifact, folder / name, on_bytes)
    except OSError as error:
        raise ClientError(f"cannot write to {folder}: {error.strerror or error}") from error
