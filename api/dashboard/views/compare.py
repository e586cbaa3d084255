"""Two to ten jobs beside one another: first what was asked of each, then what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from urllib.parse import urlencode

from api.dashboard.views.downloads import downloads
from api.dashboard.views.gap import Gap, gap
from api.dashboard.views.measured import Measured
from api.dashboard.views.numbers import Numbers
from api.dashboard.views.pareto import Candidate, Export, Panel, candidates, panels
from api.dashboard.views.published import Published, Source, published
from api.dashboard.views.spec_differences import SpecDifferences, spec_differences
from api.scores import Role, Scores
from store.tables import Artifact, Job

LEAST, MOST = 2, 10


@dataclass(frozen=True)
class Facts:
    """What was read of one job. best: of each stage the best mAP50 so far."""

    job: Job
    best: Mapping[str, float]
    numbers: Numbers | None
    measured: Measured | None
    files: Sequence[Artifact]


@dataclass(frozen=True)
class Column:
    """One job. letter: its name on this page. without: the address of the comparison without it, or None."""

    letter: str
    id: str
    name: str
    state: str
    seeds: int
    without: str | None


@dataclass(frozen=True)
class MetricRow:
    """One number of every job. kind: how it is written. best: indices of the jobs that have the best one."""

    label: str
    role: Role | None
    kind: str
    values: tuple[float | None, ...]
    best: frozenset[int]


@dataclass(frozen=True)
class CompareView:
    """The page. same_data: all were measured on the same split of the same data."""

    columns: tuple[Column, ...]
    specs: SpecDifferences
    same_data: bool
    rows: tuple[MetricRow, ...]
    gaps: tuple[Gap | None, ...]
    published: Published
    exports: tuple[Candidate, ...]
    panels: tuple[Panel, ...]


def compare(facts: Sequence[Facts]) -> CompareView:
    """Put the page together; jobs keep the order in which they were named."""
    letters = ascii_uppercase[: len(facts)]
    ids = [one.job.id for one in facts]
    scores = [Scores.of(one.best) for one in facts]
    exports = candidates(
        [export for letter, one in zip(letters, facts, strict=True) for export in _exports(letter, one)]
    )
    return CompareView(
        columns=tuple(_column(letter, one.job, ids) for letter, one in zip(letters, facts, strict=True)),
        specs=spec_differences([one.job.spec for one in facts]),
        same_data=len({(one.job.dataset_id, one.job.spec["dataset"].get("val")) for one in facts}) == 1,
        rows=_rows(scores, facts),
        gaps=tuple(gap(one) for one in scores),
        published=published([_source(letter, one) for letter, one in zip(letters, facts, strict=True)]),
        exports=exports,
        panels=panels(exports),
    )


def address(job_ids: Sequence[str]) -> str:
    """Where these jobs are compared."""
    return f"/compare?{urlencode([('job', one) for one in job_ids])}"


def _column(letter: str, job: Job, ids: Sequence[str]) -> Column:
    others = [one for one in ids if one != job.id]
    without = address(others) if len(others) >= LEAST else None
    return Column(letter, job.id, job.name, job.state, len(job.spec["seeds"]), without)


def _rows(scores: Sequence[Scores], facts: Sequence[Facts]) -> tuple[MetricRow, ...]:
    gains = [None if one.imitated is None or one.plain is None else one.imitated - one.plain for one in scores]
    took = [
        (one.job.finished_at - one.job.started_at).total_seconds()
        if one.job.finished_at and one.job.started_at
        else None
        for one in facts
    ]
    rows = [
        _row("Teacher", "teacher", "points", [one.teacher for one in scores]),
        _row("Plain", "plain", "points", [one.plain for one in scores]),
        _row("Imitated", "imitated", "points", [one.imitated for one in scores]),
        _row("Gain", None, "signed", gains),
        _row("Gap closed", None, "percent", [one.gap_closed for one in scores]),
        _row("Time", None, "duration", took, least=True),
    ]
    return tuple(row for row in rows if any(value is not None for value in row.values))


def _row(label: str, role: Role | None, kind: str, values: Sequence[float | None], *, least: bool = False) -> MetricRow:
    # As they are written: what looks equal is not better.
    written = [None if value is None else round(value, 0 if kind == "duration" else 3) for value in values]
    known = {value for value in written if value is not None}
    best = (min if least else max)(known) if len(known) > 1 else None
    return MetricRow(
        label,
        role,
        kind,
        tuple(values),
        frozenset(place for place, value in enumerate(written) if value is not None and value == best),
    )


def _source(letter: str, one: Facts) -> Source:
    student = one.job.spec["student"]["detector"]
    detectors: dict[Role, str] = {
        "teacher": one.job.spec["teacher"]["detector"],
        "plain": student,
        "imitated": student,
    }
    return Source(letter, detectors, one.numbers, one.measured)


def _exports(letter: str, one: Facts) -> list[Export]:
    return [
        Export(
            letter, one.job.id, file.name, file.format, file.size, file.map50, file.latency_ms, file.parity, file.href
        )
        for file in downloads(one.files, "").exports
        if file.map50 is not None
    ]
