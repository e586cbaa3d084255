"""`fgfi datasets check` and `fgfi datasets convert`: data sets on this disk, without the service.

What reads them is loaded inside the commands: the others need neither numpy nor an image library.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client import archive
from client.dataset_report import print_report
from client.errors import EXIT_JOB_FAILED, EXIT_USAGE, ClientError
from client.output import JsonOption, console, error_console, print_json, print_table

if TYPE_CHECKING:
    from fgfi_core.data.convert import Converted

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
_SHOWN = 20


class Format(StrEnum):
    """What a data set can be written as."""

    VOC = "voc"
    COCO = "coco"
    KITTI = "kitti"
    YOLO = "yolo"


def check(
    path: Annotated[Path, typer.Argument(help="A folder, or a .zip, .tar, .tar.gz or .tar.zst archive.")],
    image_size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Also count the boxes smaller than a cell of the map at this size."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a data set here, without the service: read all of it, decode every image. Exit code 6: it is not usable."""
    size = _size(image_size)
    if not path.exists():
        raise ClientError(f"there is no file or folder {path}", exit_code=EXIT_USAGE)
    archive.media_type(path)  # Says what is no archive before anything is loaded.
    with _refusals(), _folder(path) as folder, error_console.status("decoding every image ..."):
        from fgfi_core import data  # noqa: PLC0415 - on demand

        found = data.check(folder, image_size=size)
    report = found.model_dump(mode="json")
    if as_json:
        print_json(report)
    else:
        print_report(report)
    if not found.usable:
        raise typer.Exit(EXIT_JOB_FAILED)


def convert(
    source: Annotated[Path, typer.Argument(help="Folder of the data set; its format is detected.")],
    target: Annotated[Path, typer.Argument(help="Folder to write; absent, or empty.")],
    to: Annotated[Format, typer.Option("--to", help="Format to write.")],
    link: Annotated[
        bool, typer.Option("--link", help="Link the images instead of copying them: same disk only.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a data set in another format, without the service, and tell what that format cannot say."""
    if not source.is_dir():
        text = f"there is no folder {source}" if not source.exists() else f"{source} is no folder"
        hints = ("unpack the archive first",) if source.exists() else ()
        raise ClientError(text, hints=hints, exit_code=EXIT_USAGE)
    with _refusals(), error_console.status("converting ..."):
        from fgfi_core.data.convert import convert as write  # noqa: PLC0415 - on demand

        try:
            done = write(source, target, to.value, copy="link" if link else "copy")
        except FileExistsError as error:
            raise ClientError(str(error), exit_code=EXIT_USAGE) from error
    if as_json:
        print_json(_converted(done))
        return
    console.print(
        f"{target}: {done.format}, {done.images:,} images, {done.boxes:,} boxes, {len(done.classes):,} classes",
        markup=False,
        soft_wrap=True,
    )
    print_table(("split", "images"), [(name, f"{count:,}") for name, count in done.splits.items()])
    _print_losses(done)


def _print_losses(done: "Converted") -> None:
    said = [f"{problem}" for problem in done.problems]
    said += [f"{done.format} cannot hold {loss.count:,} {loss.what}" for loss in done.losses]
    said += [f"{old} is now {new}" for old, new in done.renamed.items()]
    for line in said[:_SHOWN]:
        console.print(f"  warning: {line}", markup=False, soft_wrap=True)
    if len(said) > _SHOWN:
        console.print(f"  and {len(said) - _SHOWN:,} more; with --json all are listed", markup=False)


def _converted(done: "Converted") -> dict[str, Any]:
    problems = [asdict(problem) for problem in done.problems]
    losses = [asdict(loss) for loss in done.losses]
    fields = {name: getattr(done, name) for name in ("source_format", "format", "images", "boxes", "classes")}
    return {
        **fields,
        "splits": dict(done.splits),
        "losses": losses,
        "renamed": dict(done.renamed),
        "problems": problems,
    }


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        hint = "give width x height in pixels, such as 320x240"
        raise ClientError(f"--image-size: '{text}' is no size", hints=(hint,), exit_code=EXIT_USAGE)
    return int(found[1]), int(found[2])


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """The folder itself, or what an archive holds, until the end."""
    if path.is_dir():
        yield path
        return
    from fgfi_core.data.archive import extract  # noqa: PLC0415 - on demand

    with tempfile.TemporaryDirectory(prefix="fgfi-check-") as scratch:
        folder = Path(scratch, "data")
        extract(path, folder)
        yield folder


@contextmanager
def _refusals() -> Iterator[None]:
    """What the reader refuses, as this command's error."""
    from fgfi_core.errors import JobError  # noqa: PLC0415 - on demand

    try:
        yield
    except JobError as error:
        hints = (error.hint,) if error.hint else ()
        raise ClientError(error.message, hints=hints, exit_code=EXIT_JOB_FAILED, code=error.code) from error
