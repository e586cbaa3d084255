"""The list of jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from api.dashboard.render import duration
from api.dashboard.views.gap import Gap, gap
from api.dashboard.views.progress import TITLES, current, settled, whole
from api.scores import Scores
from store.pages import Page
from store.states import JobState, is_terminal
from store.tables import Job

# The chips above the list: what a person means by it, and the states that belong to it.
FILTERS: dict[str, tuple[JobState, ...]] = {
    "queued": ("queued", "paused"),
    "running": ("running", "pausing", "cancelling"),
    "succeeded": ("succeeded",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
}


@dataclass(frozen=True)
class Chip:
    """A filter: its address, whether it is on, and how many jobs it shows."""

    label: str
    state: str
    href: str
    count: int
    on: bool


@dataclass(frozen=True)
class Row:
    """One job in the list."""

    id: str
    name: str
    pair: str
    state: str
    over: bool
    note: str
    fraction: float
    eta_seconds: float | None
    closed: float | None
    gap: Gap | None
    created_at: datetime


@dataclass(frozen=True)
class JobList:
    """The list with its filters. `empty`: there is no job at all, and the page teaches how to begin."""

    rows: tuple[Row, ...]
    chips: tuple[Chip, ...]
    query: str
    state: str
    dataset: str
    cursor: str
    older: str | None
    empty: bool

    @property
    def address(self) -> str:
        """The page's own URL, with its filters."""
        return _address(state=self.state, q=self.query, dataset=self.dataset, cursor=self.cursor)

    @property
    def newest(self) -> str | None:
        """The first page of the list, from a later one."""
        return _address(state=self.state, q=self.query, dataset=self.dataset) if self.cursor else None


def job_list(
    page: Page[Job],
    best: Mapping[str, Mapping[str, float]],
    counts: Mapping[str, int],
    *,
    state: str,
    query: str,
    dataset: str,
    cursor: str,
) -> JobList:
    """Put the list together."""
    total = sum(counts.values())
    kept = {"q": query, "dataset": dataset}
    chips = [Chip("All", "", _address(**kept), total, on=not state)]
    chips += [
        Chip(name.capitalize(), name, _address(state=name, **kept), _sum(counts, states), on=state == name)
        for name, states in FILTERS.items()
    ]
    older = _address(state=state, **kept, cursor=page.next_cursor) if page.next_cursor else None
    rows = tuple(_row(job, best.get(job.id, {})) for job in page.rows)
    return JobList(rows, tuple(chips), query, state, dataset, cursor, older, empty=total == 0)


def _row(job: Job, best: Mapping[str, float]) -> Row:
    scores = Scores.of(best)
    now = current(job)
    return Row(
        id=job.id,
        name=job.name,
        pair=f"{job.spec['teacher']['detector']} → {job.spec['student']['detector']}",
        state=job.state,
        over=is_terminal(job.state),
        note=_note(job),
        fraction=whole(job),
        eta_seconds=now.eta_seconds if now else None,
        closed=scores.gap_closed if settled(job) else None,
        gap=gap(scores),
        created_at=job.created_at,
    )


def _note(job: Job) -> str:
    """A word on where the job is, beside its bar."""
    stage = TITLES.get(job.stage or "", "")
    if job.state == "succeeded" and job.finished_at and job.started_at:
        return f"took {duration((job.finished_at - job.started_at).total_seconds())}"
    if is_terminal(job.state):
        return f"ended in {stage}" if stage else "never began"
    return stage or ("resting" if job.state == "paused" else "waiting")


def _sum(counts: Mapping[str, int], states: Sequence[str]) -> int:
    return sum(counts.get(state, 0) for state in states)


def _address(**filters: str | None) -> str:
    kept = urlencode({name: value for name, value in filters.items() if value})
    return f"/jobs?{kept}" if kept else "/jobs"
