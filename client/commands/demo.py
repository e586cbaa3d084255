"""`fgfi demo`: everything on real images in one command."""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from client import spec_file
from client.commands.datasets import print_report, upload
from client.commands.download import fetch
from client.commands.submit import follow_to_end, raise_unless_succeeded
from client.demo import images, pictures, service
from client.errors import EXIT_USAGE, ClientError
from client.models import Job
from client.output import JsonOption, console, print_exports, print_json, print_scores
from client.sdk import Fgfi
from fgfi_core.spec import JobSpec

_SPEC = Path(__file__).resolve().parents[2] / "examples" / "bccd.yaml"
_PICTURES = 3
_ROLES = ("teacher", "plain", "imitated")


def demo(
    data_set: Annotated[
        Path | None,
        typer.Option("--data-set", help="Folder of the BCCD images; else FGFI_DATA/bccd, else they are downloaded."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the student, the pictures and summary.json.")
    ] = Path("demo"),
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder for what the service keeps; else a temporary one.")
    ] = None,
    spec: Annotated[Path, typer.Option("--spec", help="The job.", show_default="examples/bccd.yaml")] = _SPEC,
    as_json: JsonOption = False,
) -> None:
    """Start a service of its own, distil a detector of blood cells from scratch, and look at what it finds."""
    checked = spec_file.read(spec)
    folder = images.find(data_set)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClientError(f"cannot write to {out}: {error.strerror}", exit_code=EXIT_USAGE) from error
    say = _Say(quiet=as_json)
    with _data_folder(data) as kept:
        say(f"starting the service ... (its log: {out / 'service.log'})")
        with service.running(kept, out / "service.log") as running:
            say(f"watch it, once, at {running.login_link()}")
            started = time.monotonic()
            job = _run(running, checked, folder, quiet=as_json)
            seconds = time.monotonic() - started
            files = [(one.format, fetch(running, one, out)) for one in running.artifacts(job.id)]
    drawn = pictures.draw(out / _file_of("onnx", files), folder, checked.dataset.val, _PICTURES, out)
    summary = _summary(job, files, seconds)
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    if as_json:
        print_json(summary)
        return
    print_scores(job.scores)
    print_exports((job.result or {}).get("exports") or [])
    for path in [path for _, path in files] + drawn + [out / "summary.json"]:
        say(str(path))


class _Say:
    """Prints a line for people, or nothing when JSON is wanted."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def __call__(self, line: str) -> None:
        if not self._quiet:
            console.print(line, markup=False, soft_wrap=True)


def _run(running: Fgfi, spec: JobSpec, folder: Path, *, quiet: bool) -> Job:
    dataset = upload(running, folder, "bccd", quiet=quiet)
    if not quiet:
        print_report(dataset)
    content = spec.model_dump(mode="json")
    content["dataset"]["id"] = dataset.id
    job = follow_to_end(running, running.submit(content), quiet=quiet)
    raise_unless_succeeded(job)
    return job


def _summary(job: Job, files: Sequence[tuple[str, Path]], seconds: float) -> dict[str, Any]:
    """What `summary.json` holds: the job's own numbers, none of them made here but the time it all took."""
    paths = dict(files)
    scores = job.scores.model_dump()
    exports = [
        {
            "format": export["format"],
            "path": paths[export["format"]].as_posix(),
            "bytes": export["size"],
            "map50": export["map50"],
            "latency_ms": export["latency_ms"],
        }
        for export in (job.result or {}).get("exports") or []
    ]
    return {
        **{role: {"map50": scores[role]} for role in _ROLES},
        "gap_closed": job.scores.gap_closed,
        "seconds": round(seconds, 1),
        "exports": exports,
    }


def _file_of(kind: str, files: Sequence[tuple[str, Path]]) -> str:
    for found, path in files:
        if found == kind:
            return path.name
    raise ClientError(f"the job made no {kind} file", hints=(f"let its spec list {kind} in exports",))


@contextmanager
def _data_folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="fgfi-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
