"""The files of a job: exports with what was measured on them, the report, and the rest."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from store.tables import Artifact
from store.tables.base import Json

REPORT_TYPES = ("text/html",)


@dataclass(frozen=True)
class Download:
    """One file. What was not measured on it is None. curl, command, only, check: lines for a shell.

    command: fetches all files of the job, only: those of this format; check: says whether the file arrived whole.
    """

    id: str
    name: str
    format: str
    size: int
    sha256: str
    href: str
    map50: float | None
    latency_ms: float | None
    parity: bool | None
    box_difference: float | None
    media_type: str
    curl: str
    command: str
    only: str
    check: str


@dataclass(frozen=True)
class Downloads:
    """Exports first, the newest report, and other files."""

    exports: tuple[Download, ...]
    report: Download | None
    others: tuple[Download, ...]


def downloads(rows: Sequence[Artifact], public_url: str) -> Downloads:
    """Sort a job's files. An export is a file whose accuracy was measured again."""
    files = [(row, _download(row, public_url.rstrip("/"))) for row in rows]
    report = next((file for row, file in files if row.media_type.split(";")[0] in REPORT_TYPES), None)
    exports = tuple(file for _, file in files if file.map50 is not None)
    others = tuple(file for _, file in files if file.map50 is None and file is not report)
    return Downloads(exports, report, others)


def _download(row: Artifact, public_url: str) -> Download:
    filename = row.name.rpartition("/")[2]
    href = f"/v1/artifacts/{row.id}/content"
    # A file's name may hold anything: the line is to be pasted into a shell.
    target = shlex.quote(filename)
    return Download(
        id=row.id,
        name=row.name,
        format=row.format,
        size=row.size,
        sha256=row.sha256,
        href=href,
        map50=_number(row.facts, "map50"),
        latency_ms=_number(row.facts, "latency_ms"),
        parity=row.facts["parity"] if isinstance(row.facts.get("parity"), bool) else None,
        box_difference=_number(row.facts, "max_box_difference"),
        curl=f'curl -fL -o {target} -H "Authorization: Bearer $FGFI_API_KEY" {shlex.quote(public_url + href)}',
        media_type=row.media_type,
        command=f"fgfi download {row.job_id}",
        only=f"fgfi download {row.job_id} --only {shlex.quote(row.format)}",
        check=f"echo {shlex.quote(f'{row.sha256}  {filename}')} | sha256sum --check",
    )


def _number(facts: Json, name: str) -> float | None:
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
