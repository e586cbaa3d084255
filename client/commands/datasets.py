"""`fgfi datasets`: what the service has, brought there and taken from it; check and convert what lies on this disk."""

from pathlib import Path
from typing import Annotated

import typer

from client import archive
from client.commands import datasets_download, local_datasets
from client.dataset_report import print_problems
from client.errors import EXIT_USAGE, ClientError
from client.models import Dataset
from client.output import JsonOption, age, console, error_console, print_json, print_table, size
from client.sdk import Fgfi
from client.transfer_bar import transfer_bar

_LISTED = 10

app = typer.Typer(help="Add, list, download, check and convert data sets.", no_args_is_help=True)


@app.command("add")
def add(
    path: Annotated[Path, typer.Argument(help="A folder, or a .zip, .tar, .tar.gz or .tar.zst archive.")],
    name: Annotated[str | None, typer.Option(help="Default: the folder's or file's name.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Upload a data set and wait until the service has checked it."""
    with Fgfi.connect() as service:
        dataset = upload(service, path, name, quiet=as_json)
    if as_json:
        print_json(dataset.model_dump(mode="json"))
        return
    print_report(dataset)


@app.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the data sets, newest first."""
    with Fgfi.connect() as service:
        _print_all(service.datasets(), as_json)


def _print_all(found: list[Dataset], as_json: bool) -> None:
    if as_json:
        print_json([dataset.model_dump(mode="json") for dataset in found])
        return
    rows = [(d.id, d.name, d.state, (d.report or {}).get("images"), size(d.size), age(d.created_at)) for d in found]
    print_table(("id", "name", "state", "images", "size", "age"), rows, shorten="name")


@app.command("revisions")
def revisions(
    dataset_id: Annotated[str, typer.Argument(metavar="DS", help="A data set's id, such as ds_4fJ0....")],
    as_json: JsonOption = False,
) -> None:
    """List what was uploaded under a data set's name, newest first."""
    with Fgfi.connect() as service:
        _print_all(service.revisions(dataset_id), as_json)


app.command("download")(datasets_download.download)
app.command("check")(local_datasets.check)
app.command("convert")(local_datasets.convert)


def upload(service: Fgfi, path: Path, name: str | None, *, quiet: bool) -> Dataset:
    """Send a folder or archive with a progress bar, and wait for the check. Raises ClientError."""
    if not path.exists():
        raise ClientError(f"there is no file or folder {path}", exit_code=EXIT_USAGE)
    archive.media_type(path)  # Says what is no archive before a bar is drawn.
    with transfer_bar(quiet=quiet) as bar:
        task = bar.add_task(f"sending {path.name or path.resolve().name}", total=archive.counted(path))
        reading = bar.add_task("reading it first", total=archive.counted(path), visible=False)
        dataset = service.add_dataset(
            path,
            name,
            lambda count: bar.advance(task, count),
            lambda count: bar.update(reading, advance=count, visible=True),
            lambda line: error_console.print(line, markup=False, highlight=False),
        )
    if not quiet:
        console.print(f"checking {dataset.id} ...", markup=False)
    return service.checked(dataset)


def find(service: Fgfi, text: str) -> Dataset:
    """The ready data set with this id or name. Raises ClientError, which lists what there is."""
    known = service.datasets()
    by_id = [one for one in known if one.id == text]
    named = by_id or [one for one in known if one.name == text]
    ready = [one for one in named if one.state == "ready"]
    if len(ready) == 1:
        return ready[0]
    if ready:
        message = f"{len(ready)} ready data sets are called '{text}': pass the id of one"
    elif named:
        message = f"data set '{text}' is not ready"
    else:
        message = f"there is no data set '{text}'"
    listed = ready or named or [one for one in known if one.state == "ready"]
    hints = [_one_line(one) for one in listed[:_LISTED]]
    if not hints:
        hints.append("add one with `fgfi datasets add FOLDER`")
    elif len(listed) > _LISTED:
        hints.append(f"and {len(listed) - _LISTED} more: `fgfi datasets list`")
    raise ClientError(message, hints=tuple(hints), exit_code=EXIT_USAGE, code="dataset_not_found")


def _one_line(one: Dataset) -> str:
    why = f": {one.error.message}" if one.state == "rejected" and one.error else ""
    return f"{one.id}  {one.name}  {one.state}, added {age(one.created_at)} ago{why}"


def print_report(dataset: Dataset) -> None:
    """What the service found in it."""
    console.print(f"{dataset.id} is ready", markup=False)
    print_problems(dataset.report or {})
