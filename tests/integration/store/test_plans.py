"""How PostgreSQL goes about the calls a service makes all day: by an index, reading a page's worth of rows."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench.queue_calls import Call, Calls
from bench.queue_filling import fill
from bench.queue_plans import Plan, watched
from store.database import make_engine, make_sessions
from store.settings import Settings
from store.tables import Base

pytestmark = pytest.mark.integration

ROWS = 20_000
MOST = 800  # Of some dozen lines of (queue, priority, project) a claim looks at the first eight jobs.
NAMES = [call.name for call in Calls("", "", "", "", [""]).all()]


@pytest.fixture(scope="module")
def filled(migrated_url: str) -> Iterator[Engine]:
    """Twenty thousand jobs of several projects, most of them over."""
    settings = Settings(
        database_url=migrated_url,
        redis_url="redis://127.0.0.1:1/0",
        storage_url="file:///nowhere",
        secret_key="integration-tests-need-a-secret-of-some-length",
    )
    engine = make_engine(settings)
    _empty(engine)
    fill(engine, ROWS)
    yield engine
    _empty(engine)
    engine.dispose()


def _empty(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(table.name for table in Base.metadata.sorted_tables)}"))


@pytest.fixture(scope="module")
def calls(filled: Engine) -> dict[str, Call]:
    with make_sessions(filled).begin() as session:
        return {call.name: call for call in Calls.of(session).all()}


def plans_of(engine: Engine, call: Call) -> list[Plan]:
    with make_sessions(engine)() as session:
        given = call.prepare(session)
        session.flush()
        with watched(engine) as plans:
            call.make(session, given)
            session.flush()
        session.rollback()
    return plans


@pytest.mark.parametrize("name", NAMES)
def test_no_call_reads_a_growing_table_as_a_whole(filled: Engine, calls: dict[str, Call], name: str) -> None:
    plans = plans_of(filled, calls[name])

    assert plans
    growing = {"jobs", "attempts", "job_events", "outbox"}
    assert [plan for plan in plans if growing & set(plan.whole)] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_call_reads_more_than_its_share_of_rows(filled: Engine, calls: dict[str, Call], name: str) -> None:
    assert sum(plan.rows for plan in plans_of(filled, calls[name])) <= MOST


def test_a_search_for_lost_messages_reads_none_that_are_not(filled: Engine, calls: dict[str, Call]) -> None:
    assert sum(plan.rows for plan in plans_of(filled, calls["look for lost messages"])) == 0


def test_a_query_without_an_index_would_be_seen(filled: Engine) -> None:
    def look(session: Session, _: object) -> None:
        session.execute(text("SELECT id FROM jobs WHERE name || 'x' = 'nowhere'")).all()

    (plan,) = plans_of(filled, Call("", look))

    assert plan.whole == ("jobs",)
    assert plan.rows == ROWS
