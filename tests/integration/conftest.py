"""Real servers for integration tests: one PostgreSQL and one Redis a session, empty tables for every test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from embedded import postgres, redis
from fgfi_core.spec import DETECTORS, JobSpec
from store import datasets, jobs, projects
from store.database import Sessions, make_engine, make_sessions
from store.migrate import upgrade
from store.objects import ObjectStore, open_store
from store.settings import Settings
from store.tables import Base, Job

SECRET = "integration-tests-need-a-secret-of-some-length"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_url(postgres_url: str) -> str:
    """The address of a database with all tables."""
    upgrade(postgres_url.replace("postgresql://", "postgresql+psycopg://", 1))
    return postgres_url


@pytest.fixture
def settings(migrated_url: str, tmp_path: Path) -> Settings:
    """Settings on the real database, with folders of this test's own and no broker (see `redis_url`)."""
    return Settings(
        database_url=migrated_url,
        redis_url="redis://127.0.0.1:1/0",
        storage_url=(tmp_path / "objects").as_uri(),
        secret_key=SECRET,
        worker_cache=tmp_path / "cache",
    )


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An engine on empty tables."""
    made = make_engine(settings, pool_size=10)
    with made.begin() as connection:
        # Not TRUNCATE: it makes new files for every table, which takes far longer than emptying small ones.
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    return make_sessions(engine)


@pytest.fixture
def objects(settings: Settings) -> ObjectStore:
    return open_store(settings.storage_url)


@pytest.fixture
def project_id(sessions: Sessions) -> str:
    with sessions.begin() as session:
        return projects.ensure(session).id


@pytest.fixture
def dataset_id(sessions: Sessions, project_id: str) -> str:
    """A ready data set, without an archive in the object store."""
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "cells")
        row.size, row.sha256, row.state = 0, "0" * 64, "ready"
        return row.id


@pytest.fixture
def job_spec(dataset_id: str) -> JobSpec:
    detector = next(iter(DETECTORS))
    return JobSpec.model_validate(
        {
            "name": "cells",
            "dataset": {"id": dataset_id},
            "teacher": {"detector": detector},
            "student": {"detector": detector},
        }
    )


@pytest.fixture
def make_job(sessions: Sessions, project_id: str, job_spec: JobSpec) -> Callable[[], Job]:
    """Makes a queued job, committed."""

    def make() -> Job:
        with sessions.begin() as session:
            return jobs.create(session, project_id, job_spec).job

    return make
