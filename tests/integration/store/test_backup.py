"""A back-up that is taken while a job runs, and restored into a new database and a new store, as operations.md says."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from embedded.postgres import find_programs
from store import checkpoints, datasets, jobs, leases, reaper
from store.attempts import Budget
from store.checkpoints import NewCheckpoint
from store.database import Sessions, make_sessions
from store.leases import Claim
from store.migrate import is_current
from store.objects import ObjectStore, open_store
from store.reconciliation import reconcile
from store.settings import Settings
from store.tables import Dataset

pytestmark = pytest.mark.integration

CONTENT = b"a state to go on from"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def running(sessions: Sessions, objects: ObjectStore, dataset_id: str, claim: Claim) -> Claim:
    """A running job with a data set and a published checkpoint."""
    digest = sha256(CONTENT).hexdigest()
    with sessions.begin() as session:
        archive = session.get_one(Dataset, dataset_id)
        archive.size, archive.sha256 = len(CONTENT), digest
        objects.put(archive.object_key, [CONTENT])
        objects.put("jobs/a/teacher.pt", [CONTENT])
        new = NewCheckpoint("teacher", 0, 1, False, "teacher.pt", "jobs/a/teacher.pt", len(CONTENT), digest)
        checkpoints.publish(session, claim.lease, new)
    return claim


@pytest.fixture
def restored(
    running: Claim, migrated_url: str, settings: Settings, tmp_path: Path
) -> Iterator[tuple[Engine, ObjectStore]]:
    """The database first, then the objects; restored beside the ones that are still in use."""
    del running
    dump, programs = tmp_path / "fgfi.dump", find_programs()
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", migrated_url], check=True)
    folder = Path(settings.storage_url.removeprefix("file://"))
    shutil.copytree(folder, tmp_path / "backup")

    server = create_engine(
        migrated_url.replace("postgresql://", "postgresql+psycopg://", 1),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE restored"))
    address = migrated_url.replace("/postgres?", "/restored?", 1)
    subprocess.run([programs / "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={address}", dump], check=True)
    engine = create_engine(server.url.set(database="restored"), poolclass=NullPool)
    yield engine, open_store((tmp_path / "backup").as_uri())
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE restored"))


def test_what_was_restored_is_whole_and_its_job_goes_on_from_its_checkpoint(
    restored: tuple[Engine, ObjectStore], running: Claim, project_id: str
) -> None:
    engine, objects = restored
    sessions = make_sessions(engine)
    assert is_current(engine.url.render_as_string(hide_password=False))

    report = reconcile(sessions, objects, grace=timedelta(0), contents=True)
    assert (report.rows, report.objects, list(report.broken), list(report.orphans)) == (2, 2, [], [])

    with sessions.begin() as session:
        session.execute(text("UPDATE attempts SET lease_expires_at = clock_timestamp() - interval '1 second'"))
        assert reaper.reap(session, Budget(backoff=0)) == [(running.job.id, "queued")]
        assert jobs.count_by_state(session, project_id) == {"queued": 1}
        assert datasets.get(session, project_id, running.job.dataset_id).state == "ready"
    with sessions.begin() as session:
        again = leases.claim(session, running.job.id, worker_id="new", lease=MINUTE)
        assert again is not None
        (stage,) = checkpoints.to_resume(session, running.job.id)
        assert [state.object_key for state in stage.steps] == ["jobs/a/teacher.pt"]
