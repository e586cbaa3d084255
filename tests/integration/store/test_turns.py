"""Whose turn it is among the queued jobs, and that each is taken once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from fgfi_core.spec import JobSpec
from store import jobs, leases, projects, turns, workers
from store.database import Sessions
from store.queues import Placing, Priority
from store.tables import Attempt, Job, JobEvent, Outbox

pytestmark = pytest.mark.integration

LEASE = timedelta(seconds=75)
ALL = ("jobs", "jobs.cpu", "jobs.gpu")
Make = Callable[..., str]


@pytest.fixture
def make(sessions: Sessions, project_id: str, job_spec: JobSpec) -> Make:
    """Makes a queued job of a project, in a queue, of a priority; returns its id."""

    def make_one(project: str = "", queue: str = "jobs", priority: Priority = "normal") -> str:
        with sessions.begin() as session:
            owner = projects.ensure(session, project).id if project else project_id
            made = jobs.create(session, project_id, job_spec, placing=Placing(queue, priority)).job
            made.project_id = owner
            return made.id

    return make_one


def order(sessions: Sessions, queues: tuple[str, ...] = ALL) -> list[str]:
    with sessions.begin() as session:
        return list(turns.next_jobs(session, queues))


def take(sessions: Sessions, queues: tuple[str, ...] = ALL) -> str | None:
    with sessions.begin() as session:
        claim = turns.claim_next(session, queues, worker_id="w", lease=LEASE)
        return claim.job.id if claim else None


def test_the_oldest_job_comes_first(sessions: Sessions, make: Make) -> None:
    made = [make() for _ in range(3)]
    assert order(sessions) == made


def test_a_higher_priority_comes_before_age(sessions: Sessions, make: Make) -> None:
    low, normal, high = make(priority="low"), make(), make(priority="high")
    assert order(sessions) == [high, normal, low]


def test_the_project_with_fewer_jobs_running_comes_before_age(sessions: Sessions, make: Make) -> None:
    busy = [make("busy") for _ in range(3)]
    idle = make("idle")
    assert take(sessions) == busy[0]
    assert order(sessions) == [idle, *busy[1:]]


def test_projects_that_wait_alike_take_turns(sessions: Sessions, make: Make) -> None:
    first, second = [make("first") for _ in range(3)], [make("second") for _ in range(3)]
    assert [take(sessions) for _ in range(6)] == [job for pair in zip(first, second, strict=True) for job in pair]


def test_a_priority_is_not_outweighed_by_fairness(sessions: Sessions, make: Make) -> None:
    assert take(sessions) is None
    urgent = [make("busy", priority="high") for _ in range(2)]
    make("idle")
    assert [take(sessions) for _ in range(2)] == urgent


def test_a_worker_takes_from_its_own_queues_alone(sessions: Sessions, make: Make) -> None:
    make(queue="jobs.gpu", priority="high")
    any_class, cpu = make(), make(queue="jobs.cpu")
    assert order(sessions, ("jobs", "jobs.cpu")) == [any_class, cpu]


def test_age_counts_across_the_queues_of_a_worker(sessions: Sessions, make: Make) -> None:
    made = [make(queue="jobs.gpu"), make(), make(queue="jobs.gpu"), make()]
    assert order(sessions) == made


def test_a_job_that_waits_for_its_time_is_passed_over(sessions: Sessions, make: Make) -> None:
    later, due = make(), make()
    with sessions.begin() as session:
        soon = func.clock_timestamp() + timedelta(minutes=1)
        session.execute(update(Job).where(Job.id == later).values(available_at=soon))
    assert order(sessions) == [due]


def test_a_job_somebody_is_at_is_passed_over_without_waiting(sessions: Sessions, make: Make) -> None:
    held, free = make(), make()
    with sessions() as holder:
        holder.execute(select(Job).where(Job.id == held).with_for_update(key_share=True))
        assert take(sessions) == free


def test_however_many_ask_at_once_each_job_is_taken_once(sessions: Sessions, make: Make) -> None:
    made = {make(f"project {n % 3}") for n in range(24)}
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(sessions), range(40)))
    while (left := take(sessions)) is not None:  # Who found all heads held by others goes away empty-handed.
        taken.append(left)
    found = [job_id for job_id in taken if job_id is not None]
    assert (len(found), set(found)) == (24, made)
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 24


def test_a_message_names_the_queue_of_its_job(sessions: Sessions, make: Make) -> None:
    make(queue="jobs.gpu")
    with sessions.begin() as session:
        assert session.scalars(select(Outbox.queue)).all() == ["jobs.gpu"]


def test_a_passed_over_job_still_waits_and_a_taken_one_does_not(sessions: Sessions, make: Make) -> None:
    job_id = make(queue="jobs.gpu")
    with sessions.begin() as session:
        assert turns.still_waits(session, job_id, ALL)
        assert not turns.still_waits(session, job_id, ("jobs",))
        leases.claim(session, job_id, worker_id="w", lease=LEASE)
        assert not turns.still_waits(session, job_id, ALL)


def test_a_job_that_no_worker_serves_says_so_from_the_start(sessions: Sessions, make: Make) -> None:
    def first_word(job_id: str) -> str:
        with sessions.begin() as session:
            return str(session.get_one(JobEvent, (job_id, 1)).data["message"])

    assert "waits for a worker of class gpu" in first_word(make(queue="jobs.gpu"))
    with sessions.begin() as session:
        workers.seen(session, "w", hostname="h", pid=1, queues=["jobs", "jobs.gpu"])
    assert first_word(make(queue="jobs.gpu")) == "The job was accepted."


def test_a_long_queue_is_not_read_as_a_whole(sessions: Sessions, make: Make) -> None:
    """20,000 jobs of one project wait; the plan reads a few dozen rows of them."""
    job_id = make()
    with sessions.begin() as session:
        columns = "project_id, dataset_id, name, spec, metadata, state, queue, priority"
        session.execute(
            text(
                f"INSERT INTO jobs (id, {columns}) SELECT 'job_' || n, {columns} "
                "FROM jobs CROSS JOIN generate_series(1, 20000) AS n WHERE id = :id"
            ),
            {"id": job_id},
        )
    with sessions.begin() as session:
        session.execute(text("ANALYZE jobs"))
        values = {"queues": list(ALL), "depth": turns.DEPTH}
        explain = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {turns._NEXT.text}").bindparams(**values)
        plan = session.scalar(explain)[0]["Plan"]

    def most_rows(node: dict[str, object]) -> float:
        inner = node.get("Plans", [])
        assert isinstance(inner, list)
        own = float(str(node["Actual Rows"])) + float(str(node.get("Rows Removed by Filter", 0)))
        return max([own, *map(most_rows, inner)])

    assert most_rows(plan) <= 100
