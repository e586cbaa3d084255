"""`fgfi compare`: jobs side by side: what they scored, what they cost, and in what their specs differ."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from client.completion import job_ids
from client.errors import EXIT_USAGE, ClientError
from client.models import Job
from client.output import JsonOption, console, duration, percent, print_json, print_table
from client.sdk import Fgfi
from client.spec_fields import flat

# What differs between any two jobs and says nothing.
_NAMES = {"name", "metadata"}


def compare(
    job_ids_: Annotated[
        list[str], typer.Argument(metavar="JOB JOB...", help="Two jobs or more.", autocompletion=job_ids)
    ],
    as_json: JsonOption = False,
) -> None:
    """Compare jobs: mAP50 of the three detectors, the share of the gap closed, time, and where the specs differ."""
    if len(job_ids_) < 2:
        raise ClientError("compare needs two jobs or more", exit_code=EXIT_USAGE)
    with Fgfi.connect() as service:
        jobs = [service.job(one) for one in job_ids_]
    differ = differences(jobs)
    if as_json:
        rows = [{"id": j.id, "name": j.name, "state": j.state, "scores": j.scores.model_dump()} for j in jobs]
        print_json({"jobs": rows, "differences": differ, "same_data": len({job.dataset_id for job in jobs}) == 1})
        return
    print_table(("", *(job.id for job in jobs)), list(_rows(jobs)))
    if len({job.dataset_id for job in jobs}) > 1:
        console.print(
            "these jobs ran on different data sets: their scores say nothing about each other", style="yellow"
        )
    console.print()
    if differ:
        rows_of = [
            (path, *("-" if value is None else str(value) for value in values)) for path, values in differ.items()
        ]
        print_table(("their specs differ in", *(job.id for job in jobs)), rows_of)
    else:
        console.print("their specs are the same")


def differences(jobs: Sequence[Job]) -> dict[str, list[Any]]:
    """Each field that is not the same in all specs, with its value in each; None where a spec has no such field."""
    specs = [dict(flat((job.model_extra or {}).get("spec") or {})) for job in jobs]
    paths = sorted({path for spec in specs for path in spec if path.split(".")[0] not in _NAMES})
    found = {path: [spec.get(path) for spec in specs] for path in paths}
    return {path: values for path, values in found.items() if any(value != values[0] for value in values)}


def _rows(jobs: Sequence[Job]) -> Iterator[tuple[str, ...]]:
    yield ("name", *(job.name for job in jobs))
    yield ("state", *(job.state for job in jobs))
    for label, field in (("teacher", "teacher"), ("plain student", "plain"), ("imitated student", "imitated")):
        yield (label, *(percent(getattr(job.scores, field)) for job in jobs))
    yield ("share of the gap closed", *(percent(job.scores.gap_closed) for job in jobs))
    yield ("time", *(_took(job) for job in jobs))


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return "-"
    return duration((job.finished_at - job.started_at).total_seconds())
