"""`fgfi datasets download`: a data set of the service in the format that people need, as a folder on this disk."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from client.commands.local_datasets import Format
from client.errors import EXIT_JOB_FAILED, EXIT_USAGE, ClientError
from client.models import Export
from client.output import JsonOption, console, error_console, print_json
from client.sdk import Fgfi
from client.transfer_bar import transfer_bar

_SHOWN = 10


def download(
    dataset: Annotated[str, typer.Argument(help="A data set's id, or the name of a ready one.")],
    to: Annotated[Format, typer.Option("--format", help="Format to have it in.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write; absent, or empty.")],
    as_json: JsonOption = False,
) -> None:
    """Have a data set written in a format, download it, and tell what that format cannot say."""
    from client.commands.datasets import find  # noqa: PLC0415 - which offers this command

    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ClientError(f"{out} exists already and is not an empty folder", exit_code=EXIT_USAGE)
    with Fgfi.connect() as service:
        made = service.exports.create(find(service, dataset).id, to.value)
        with error_console.status("converting ..."):
            made = service.exports.ready(made)
        with transfer_bar(quiet=as_json) as bar:
            _fetch(service, made, out, partial(bar.advance, bar.add_task(made.dataset_id, total=made.size)))
    if as_json:
        print_json({"path": str(out), **made.model_dump(mode="json")})
        return
    _print(made, out)


def _fetch(service: Fgfi, made: Export, out: Path, on_bytes: Any) -> None:
    """Download beside `out` and unpack to it, whole or not at all."""
    from fgfi_core.data.archive import extract  # noqa: PLC0415 - on demand
    from fgfi_core.errors import JobError  # noqa: PLC0415 - on demand

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fgfi-", dir=out.parent) as scratch:
            packed = service.exports.download(made, Path(scratch, "data.zip"), on_bytes)
            extract(packed, Path(scratch, "data"))
            if out.exists():
                out.rmdir()
            Path(scratch, "data").rename(out)
    except JobError as error:
        raise ClientError(error.message, exit_code=EXIT_JOB_FAILED, code=error.code) from error
    except OSError as error:
        raise ClientError(f"cannot write to {out}: {error.strerror or error}") from error


def _print(made: Export, out: Path) -> None:
    report = made.report or {}
    console.print(
        f"{out}: {made.format}, {report.get('images', 0):,} images, {report.get('boxes', 0):,} boxes",
        markup=False,
        soft_wrap=True,
    )
    said = [f"{made.format} cannot hold {loss['count']:,} {loss['what']}" for loss in report.get("losses", [])]
    if report.get("renamed_count"):
        said.append(f"{report['renamed_count']:,} images have other names, since {made.format} cannot hold theirs")
    for line in said[:_SHOWN]:
        console.print(f"  warning: {line}", markup=False, soft_wrap=True)
