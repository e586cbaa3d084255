"""`fgfi train`: a whole job in this process, without the service."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client import spec_file
from client.errors import EXIT_INTERRUPTED, EXIT_JOB_FAILED, EXIT_USAGE, ClientError
from client.models import Scores
from client.output import JsonOption, console, print_exports, print_json, print_scores
from client.progress import Drawing, drawing, feed
from client.tensorboard_files import EventFiles
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from fgfi_core.events import Event
    from fgfi_core.results import JobResult

# Set in the environment of the second start of this process, the one that trains.
_PREPARED = "FGFI_TRAIN_PREPARED"


def _ignore(_kind: str, _data: Mapping[str, Any]) -> None:
    """Nobody else hears of it."""


def train(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.YAML", help="The job spec, YAML or JSON.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of the data set.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for checkpoints, exports and the report.")],
    teacher_weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Safetensors file for a teacher with init 'file'.")
    ] = None,
    student_weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Safetensors file for a student with init 'file'.")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write TensorBoard's event files below this folder meanwhile.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a whole job here, without the service. Ctrl-C stops it after a checkpoint; the same command continues it."""
    checked = spec_file.read(spec)
    if not data.is_dir():
        message = f"{data} is a file: unpack it, and name the folder" if data.exists() else f"there is no folder {data}"
        raise ClientError(message, exit_code=EXIT_USAGE)
    weights = {side: path for side, path in (("teacher", teacher_weights), ("student", student_weights)) if path}
    for side, path in weights.items():
        if not path.is_file():
            raise ClientError(f"--{side}-weights: there is no file {path}", exit_code=EXIT_USAGE)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClientError(f"cannot write to {out}: {error.strerror}", exit_code=EXIT_USAGE) from error
    prepare(checked)
    with ExitStack() as after:
        files = after.enter_context(EventFiles(tensorboard)) if tensorboard else None
        picture = after.enter_context(drawing(console, quiet=as_json))
        result = run_job(checked, data, out, weights, picture, files.add_event if files else _ignore)
    if as_json:
        print_json(result.model_dump(mode="json"))
        return
    scores = {role: result.map50(role) for role in ("teacher", "plain", "imitated")}
    print_scores(Scores(**scores, gap_closed=result.gap_closed))
    if result.gain is not None:
        from fgfi_core.evaluation.gain import say  # noqa: PLC0415 - on demand, as only this command trains

        console.print(say(result.gain), markup=False)
    print_exports([export.model_dump() for export in result.exports])
    console.print(f"report: {out / 'report' / 'report.html'}", markup=False)


def prepare(spec: JobSpec) -> None:
    """Start this very command again with the threads and the allocator that training needs from its first moment."""
    if os.environ.get(_PREPARED):
        return
    from fgfi_core.environment import training_environment  # noqa: PLC0415 - on demand, only this command trains

    threads = spec.resources.threads
    variables = training_environment(None if threads == "auto" else threads)
    if sys.platform == "win32":
        # No preloading there, and exec would detach from the terminal; the libraries are not loaded yet.
        os.environ.update(variables)
        return
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **variables, _PREPARED: "1"})  # noqa: S606 - the same command


def run_job(
    spec: JobSpec,
    data: Path,
    out: Path,
    weights: dict[str, Path],
    picture: Drawing,
    also: Callable[[str, Mapping[str, Any]], None] = _ignore,
) -> "JobResult":
    """Run the job in this process, draw its events and tell `also`. Raises ClientError, also when it was stopped."""
    # On demand, as only what trains needs it.
    from fgfi_core.errors import BadData, BadSpec, JobError, Stopped  # noqa: PLC0415

    def hear(event: "Event") -> None:
        data = event.model_dump(mode="json")
        feed(picture, event.kind, data)
        also(event.kind, data)

    picture.say("loading ...")
    try:
        with _stopping() as asked:
            return _loaded()(
                spec,
                data,
                out,
                hear,
                should_stop=lambda: bool(asked),
                weights=weights,
            )
    except Stopped as error:
        again = shlex.join(["fgfi", *sys.argv[1:]])
        raise ClientError(
            "stopped; a checkpoint was written", hints=(f"continue with: {again}",), exit_code=EXIT_INTERRUPTED
        ) from error
    except JobError as error:
        exit_code = EXIT_USAGE if isinstance(error, BadSpec | BadData) else EXIT_JOB_FAILED
        hints = (error.hint,) if error.hint else ()
        raise ClientError(error.message, hints=hints, exit_code=exit_code, code=error.code) from error


def _loaded() -> Callable[..., "JobResult"]:
    try:
        from fgfi_core import run  # noqa: PLC0415 - on demand: nothing else here needs torch
    except ImportError as error:
        hint = "install this package with its extra `train`"
        raise ClientError(f"training needs a package that is missing: {error}", hints=(hint,)) from error
    return run


@contextmanager
def _stopping() -> Iterator[list[int]]:
    """The first Ctrl-C or SIGTERM only asks, by filling the list; a second one interrupts at once."""
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
