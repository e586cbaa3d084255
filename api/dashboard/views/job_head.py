"""What stands above every page of one job: which job it is, and its pages."""

from dataclasses import dataclass

from store.states import is_terminal
from store.tables import Job


@dataclass(frozen=True)
class Tab:
    """One page of a job. `name` is what its template calls itself."""

    name: str
    title: str
    href: str


@dataclass(frozen=True)
class JobHead:
    """The job, and the way to its pages."""

    id: str
    name: str
    state: str
    over: bool
    tabs: tuple[Tab, ...]


def tabs(job_id: str) -> tuple[Tab, ...]:
    """The pages of a job, in the order in which one reads them."""
    return (
        Tab("overview", "Overview", f"/jobs/{job_id}"),
        Tab("pictures", "Pictures", f"/jobs/{job_id}/pictures"),
        Tab("evaluation", "Evaluation", f"/jobs/{job_id}/evaluation"),
        Tab("downloads", "Downloads", f"/jobs/{job_id}/downloads"),
    )


def job_head(job: Job) -> JobHead:
    """Put the head together."""
    return JobHead(job.id, job.name, job.state, is_terminal(job.state), tabs(job.id))
