"""`fgfi rerun`: a finished job once more from its bundle, and whether it comes out the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.train import prepare, run_job
from client.errors import EXIT_FAILURE, EXIT_USAGE, ClientError
from client.output import JsonOption, console, error_console, print_json, print_table
from client.progress import drawing

if TYPE_CHECKING:
    from fgfi_core.bundle.record import Bundle
    from fgfi_core.bundle.replay import Compared


def rerun(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle.zip of a finished job.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of the data set that the job ran on.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for checkpoints, exports and the report.")],
    teacher_weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Safetensors file for a teacher with init 'file'.")
    ] = None,
    student_weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Safetensors file for a student with init 'file'.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Largest difference in mAP, as a fraction, that counts as the same.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Run a finished job again from its bundle and compare mAP; exits with 1 where they differ.

    On the CPU, with the same packages and kind of processor, they are equal to the last digit. The data's hashes are
    checked before anything is trained.
    """
    weights = {side: path for side, path in (("teacher", teacher_weights), ("student", student_weights)) if path}
    with _explained():
        from fgfi_core.bundle import record, replay  # noqa: PLC0415 - on demand, as only this command needs them

        asked = record.read(bundle)
        spec = replay.pinned(asked)
    prepare(spec)
    with _explained():
        said = _checked(asked, data, weights)
        replay.prepare(asked, out)
    for line in said:
        error_console.print(f"warning: {line}", markup=False, soft_wrap=True)
    with drawing(console, quiet=as_json) as picture:
        result = run_job(spec, data, out, weights, picture)
    with _explained():
        rows = replay.compare(asked, result)
    _tell(rows, said, tolerance, as_json=as_json)


def _checked(bundle: "Bundle", data: Path, weights: dict[str, Path]) -> list[str]:
    """Refuse other data and other weights; what else differs is returned."""
    try:
        from fgfi_core import data as datasets  # noqa: PLC0415 - on demand, as above
        from fgfi_core.bundle import manifest, replay, surroundings  # noqa: PLC0415
    except ImportError as error:
        hint = "install this package with its extra `train`"
        raise ClientError(f"training needs a package that is missing: {error}", hints=(hint,)) from error

    given = {side: manifest.sha256(path) for side, path in weights.items()}
    replay.check_weights(bundle, given)  # type: ignore[arg-type]  # the two sides by name
    manifest.check(bundle.data, datasets.read(data))
    here = surroundings.environment(bundle.environment.device, bundle.environment.threads)
    return replay.warnings(bundle, surroundings.packages(), here)


@contextmanager
def _explained() -> Iterator[None]:
    from fgfi_core.errors import JobError  # noqa: PLC0415 - on demand, as above

    try:
        yield
    except JobError as error:
        hints = (error.hint,) if error.hint else ()
        raise ClientError(error.message, hints=hints, exit_code=EXIT_USAGE, code=error.code) from error


def _tell(rows: "list[Compared]", said: list[str], tolerance: float, *, as_json: bool) -> None:
    worst = max(abs(row.difference) for row in rows)
    same = worst <= tolerance
    if as_json:
        trainings = [{**asdict(row), "difference": row.difference} for row in rows]
        print_json({"same": same, "tolerance": tolerance, "warnings": said, "trainings": trainings})
    else:
        table = [(row.role, row.seed, repr(row.before), repr(row.after), f"{row.difference:+.3g}") for row in rows]
        print_table(("detector", "seed", "mAP50 then", "mAP50 now", "difference"), table)
        console.print("the same mAP" if same else f"not the same mAP: differs by up to {worst:.3g}", markup=False)
    if not same:
        raise typer.Exit(EXIT_FAILURE)
