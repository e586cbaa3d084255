"""`fgfi models`: bring weights to the service, or keep those of a job, for later jobs to begin with."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from typer import Argument, Option

from client.errors import EXIT_USAGE, ClientError
from client.models import Model
from client.output import JsonOption, age, console, error_console, print_json, print_table, size
from client.registry import Declared, differences
from client.sdk import Fgfi

app = typer.Typer(help="Add, list, show and delete models that jobs begin with.", no_args_is_help=True)

ROLES = ("teacher", "student")


@app.command("add")
def add(
    path: Annotated[Path, Argument(metavar="FILE", help="A .safetensors file.")],
    name: Annotated[str | None, Option(help="Default: the file's name.")] = None,
    detector: Annotated[str | None, Option(help="What the weights are of; a student exported here says so.")] = None,
    classes: Annotated[
        list[str] | None, Option("--class", help="A class; once for each, in the order of the outputs.")
    ] = None,
    image_size: Annotated[str | None, Option(metavar="WxH", help="Its input in pixels, such as 320x240.")] = None,
    anchors: Annotated[
        list[str] | None, Option("--anchor", metavar="WxH", help="An anchor shape at that size; once for each.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Upload weights and wait until the service has held every tensor against the detector."""
    if not path.is_file():
        raise ClientError(f"there is no file {path}", exit_code=EXIT_USAGE)
    declared = Declared(detector, tuple(classes or ()), image_size, tuple(anchors or ()))
    with Fgfi.connect() as service:
        with _bar(quiet=as_json) as bar:
            task = bar.add_task(f"sending {path.name}", total=path.stat().st_size)
            model = service.models.add(path, name, declared, lambda count: bar.advance(task, count))
        model = service.models.checked(model)
    _say(model, as_json=as_json)


@app.command("from-job")
def from_job(
    job: Annotated[str, Argument(help="The job's id.")],
    role: Annotated[str, Option(help="teacher or student: which of the two.")] = "teacher",
    name: Annotated[str | None, Option(help="Default: the role and the job's name.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Keep the teacher or the student of a job as a model of its own, which outlives the job."""
    if role not in ROLES:
        raise ClientError(f"--role is '{role}'; it is {' or '.join(ROLES)}", exit_code=EXIT_USAGE)
    with Fgfi.connect() as service:
        model = service.models.checked(service.models.from_job(job, role, name))
    _say(model, as_json=as_json)


@app.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the models, newest first."""
    with Fgfi.connect() as service:
        found = service.models.list()
    if as_json:
        print_json([model.model_dump(mode="json") for model in found])
        return
    rows = [
        (m.id, m.name, m.state, m.detector, len(m.classes), m.role or "file", size(m.size), age(m.created_at))
        for m in found
    ]
    print_table(("id", "name", "state", "detector", "classes", "from", "size", "age"), rows, shorten="name")


@app.command("show")
def show(model: Annotated[str, Argument(help="The model's id.")], as_json: JsonOption = False) -> None:
    """Show one model: what it is of, where it is from, and every tensor that does not fit."""
    with Fgfi.connect() as service:
        found = service.models.get(model)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    width, height = found.image_size
    facts = {
        "id": found.id,
        "name": found.name,
        "state": found.state,
        "detector": found.detector,
        "classes": ", ".join(found.classes),
        "image size": f"{width}x{height}",
        "anchor shapes": ", ".join(f"{w:g}x{h:g}" for w, h in found.anchor_shapes) or "the family's own",
        "from": f"{found.role} of {found.job_id}" if found.job_id else "a file",
        "size": size(found.size),
    }
    print_table(("", ""), list(facts.items()))
    if found.error is not None:
        console.print(f"{found.error.message} {found.error.hint}".strip(), markup=False, soft_wrap=True)
    for line in differences(found.report or {}):
        console.print(f"  {line}", markup=False, soft_wrap=True)


@app.command("delete")
def delete(model: Annotated[str, Argument(help="The model's id.")], as_json: JsonOption = False) -> None:
    """Delete a model; refused while a job that begins with it is still to run."""
    with Fgfi.connect() as service:
        service.models.delete(model)
    if as_json:
        print_json({"deleted": model})
        return
    console.print(f"{model} is deleted", markup=False)


def _say(model: Model, *, as_json: bool) -> None:
    if as_json:
        print_json(model.model_dump(mode="json"))
        return
    tensors = (model.report or {}).get("tensors", 0)
    console.print(f"{model.id} is ready: {model.detector}, {tensors} tensors", markup=False)
    console.print(f"begin a job with it by `teacher: {{model: {model.id}}}` in its spec", markup=False, soft_wrap=True)


def _bar(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=error_console,
        disable=quiet or not error_console.is_terminal,
    )
