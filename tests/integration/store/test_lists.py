"""Lists of jobs with filters, page by page: whatever is merged from several indexes must read as one list."""

from collections.abc import Callable, Sequence
from itertools import chain

import pytest
from sqlalchemy import text

from store import datasets, jobs
from store.database import Sessions
from store.states import JobState
from store.tables import Job

pytestmark = pytest.mark.integration


@pytest.fixture
def made(sessions: Sessions, make_job: Callable[[], Job], project_id: str) -> list[str]:
    """Nine jobs, newest first: every third cancelled, every third paused, the others queued."""
    ids = [make_job().id for _ in range(9)]
    with sessions.begin() as session:
        for number, job_id in enumerate(ids):
            if number % 3 == 1:
                jobs.cancel(session, project_id, job_id)
            if number % 3 == 2:
                jobs.pause(session, project_id, job_id)
    return ids[::-1]


def pages(sessions: Sessions, project_id: str, limit: int = 2, **filters: object) -> list[list[str]]:
    found: list[list[str]] = []
    cursor: str | None = None
    while cursor is not None or not found:
        with sessions.begin() as session:
            page = jobs.list_page(session, project_id, cursor=cursor, limit=limit, **filters)  # type: ignore[arg-type] # keywords of several types
        found.append([job.id for job in page.rows])
        cursor = page.next_cursor
    return found


@pytest.mark.parametrize(
    "states", [["cancelled"], ["cancelled", "queued"], ["paused", "cancelled", "queued", "paused"]]
)
def test_jobs_of_some_states_come_once_and_newest_first(
    sessions: Sessions, project_id: str, made: list[str], states: Sequence[JobState]
) -> None:
    with sessions.begin() as session:
        expected = [job_id for job_id in made if session.get_one(Job, job_id).state in states]
    found = pages(sessions, project_id, states=states)

    assert list(chain(*found)) == expected
    assert [len(page) for page in found] == [min(2, len(expected) - start) for start in range(0, len(expected), 2)]


def test_jobs_of_a_data_set_come_once_and_newest_first_whatever_their_state(
    sessions: Sessions, project_id: str, dataset_id: str, made: list[str]
) -> None:
    with sessions.begin() as session:
        other = datasets.begin(session, project_id, "other")
        session.execute(text("UPDATE jobs SET dataset_id = :other WHERE id = :id"), {"other": other.id, "id": made[4]})

    assert list(chain(*pages(sessions, project_id, dataset_id=dataset_id))) == [*made[:4], *made[5:]]
    assert pages(sessions, project_id, dataset_id=other.id) == [[made[4]]]


def test_jobs_of_another_project_are_not_listed_by_a_data_set(
    sessions: Sessions, dataset_id: str, made: list[str]
) -> None:
    assert made
    assert pages(sessions, "another", dataset_id=dataset_id) == [[]]


@pytest.mark.parametrize(
    "looked_for", ["run 412", "RUN 774", "n 4121", "run-412", "cells run 77412", "412 run", "run  412", "run 4%"]
)
def test_text_of_several_words_is_looked_for_as_one_text(
    sessions: Sessions, project_id: str, made: list[str], looked_for: str
) -> None:
    names = [
        "cells run 412",
        "run 4121",
        "Run 77412",
        "cells run 77412",
        "run-412",
        "the run",
        "run 4%",
        "412",
        "run 9",
    ]
    with sessions.begin() as session:
        for job_id, name in zip(made, names, strict=True):
            session.get_one(Job, job_id).name = name

    (found,) = pages(sessions, project_id, limit=20, text=looked_for)
    assert found == [
        job_id for job_id, name in zip(made, names, strict=True) if looked_for.casefold() in name.casefold()
    ]


def test_text_is_looked_for_as_it_stands(sessions: Sessions, project_id: str, made: list[str]) -> None:
    names = ["one_two", "oneXtwo", r"back\slash", "back/slash", "100%", "1000"]
    with sessions.begin() as session:
        for job_id, name in zip(made, names, strict=False):
            session.get_one(Job, job_id).name = name

    for looked_for, name in (("e_t", "one_two"), ("K\\S", r"back\slash"), ("k/s", "back/slash"), ("00%", "100%")):
        with sessions.begin() as session:
            found = jobs.list_page(session, project_id, text=looked_for, states=["queued", "cancelled", "paused"])
        assert [job.name for job in found.rows] == [name]
