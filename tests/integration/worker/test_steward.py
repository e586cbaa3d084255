import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import func, select, update

from store import checkpoints, datasets, garbage, jobs, leases
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.errors import ObjectMissing
from store.objects import ObjectStore
from store.settings import Settings, get_settings
from store.tables import Dataset, Garbage, Job, Outbox
from worker import app
from worker.steward import Steward

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(redis_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """An empty Redis that Celery publishes to."""
    monkeypatch.setenv("FGFI_DATABASE_URL", settings.psycopg_url)
    monkeypatch.setenv("FGFI_REDIS_URL", redis_url)
    monkeypatch.setenv("FGFI_STORAGE_URL", settings.storage_url)
    monkeypatch.setenv("FGFI_SECRET_KEY", settings.secret_key.get_secret_value())
    get_settings.cache_clear()
    app.app.conf.broker_url = redis_url
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client
    app.app.close()
    get_settings.cache_clear()


@pytest.fixture
def steward(settings: Settings, sessions: Sessions, objects: ObjectStore, broker: Redis) -> Steward:  # noqa: ARG001 - there first
    return Steward(settings, sessions, objects)


def waiting_messages(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return session.scalar(select(func.count()).where(Outbox.published_at.is_(None))) or 0


def grow_old(sessions: Sessions) -> None:
    """Let all jobs and data sets have been announced an hour ago."""
    ago = func.clock_timestamp() - timedelta(hours=1)
    with sessions.begin() as session:
        session.execute(update(Job).values(available_at=ago, published_at=ago))
        session.execute(update(Dataset).values(created_at=ago, published_at=ago))


def test_the_relay_publishes_once_and_marks(
    steward: Steward, make_job: Callable[[], Job], broker: Redis, sessions: Sessions
) -> None:
    job = make_job()
    steward.relay()
    steward.relay()
    assert broker.llen("jobs") == 1
    assert waiting_messages(sessions) == 0
    with sessions.begin() as session:
        assert session.get_one(Job, job.id).published_at is not None


def test_what_was_not_committed_is_not_published(
    steward: Steward, job_spec: object, project_id: str, broker: Redis, sessions: Sessions
) -> None:
    with sessions() as session:
        jobs.create(session, project_id, job_spec)  # type: ignore[arg-type] # a fixture
        steward.relay()
        session.rollback()
    steward.relay()
    assert broker.llen("jobs") == 0


def test_two_relays_share_the_work(
    steward: Steward, make_job: Callable[[], Job], broker: Redis, sessions: Sessions
) -> None:
    make_job()
    with sessions() as other:
        other.scalars(select(Outbox).with_for_update()).all()
        steward.relay()
        assert broker.llen("jobs") == 0
    steward.relay()
    assert broker.llen("jobs") == 1


def test_a_message_that_waits_is_not_sent_again(
    steward: Steward, make_job: Callable[[], Job], broker: Redis, sessions: Sessions
) -> None:
    make_job()
    steward.relay()
    grow_old(sessions)
    steward.announce_again()
    assert broker.llen("jobs") == 1


def test_a_message_that_was_lost_is_sent_again_once(
    steward: Steward, make_job: Callable[[], Job], broker: Redis, sessions: Sessions
) -> None:
    make_job()
    steward.relay()
    grow_old(sessions)
    broker.flushall()
    steward.announce_again()
    steward.announce_again()
    assert broker.llen("jobs") == 1


def test_a_job_just_announced_is_left_alone(steward: Steward, make_job: Callable[[], Job], broker: Redis) -> None:
    make_job()
    steward.relay()
    broker.flushall()
    steward.announce_again()
    assert broker.llen("jobs") == 0


def test_a_lost_check_of_a_data_set_is_announced_again(
    steward: Steward, broker: Redis, sessions: Sessions, project_id: str
) -> None:
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "cells")
        datasets.uploaded(session, project_id, row.id, size=1, sha256="0" * 64)
    steward.relay()
    broker.flushall()
    grow_old(sessions)
    steward.announce_again()
    assert broker.llen("datasets") == 1


def test_objects_no_longer_needed_are_deleted(steward: Steward, objects: ObjectStore, sessions: Sessions) -> None:
    objects.put("jobs/a/old", [b"x"])
    objects.put("jobs/a/later", [b"x"])
    with sessions.begin() as session:
        garbage.add(session, ["jobs/a/old"])
        garbage.add(session, ["jobs/a/later"], after=timedelta(hours=1))

    steward.collect()

    assert [found.key for found in objects.list("jobs/")] == ["jobs/a/later"]
    with sessions.begin() as session:
        assert session.scalars(select(Garbage.object_key)).all() == ["jobs/a/later"]


def test_objects_that_never_got_a_row_are_found(
    steward: Steward, objects: ObjectStore, sessions: Sessions, make_job: Callable[[], Job], tmp_path: Path
) -> None:
    job = make_job()
    with sessions.begin() as session:
        claim = leases.claim(session, job.id, worker_id="w", lease=timedelta(seconds=75))
        assert claim is not None
        new = NewCheckpoint("teacher", 0, 1, False, "a.pt", "jobs/known", 1, "s")
        checkpoints.publish(session, claim.lease, new)
    for key in ("jobs/known", "jobs/orphan", "jobs/young"):
        objects.put(key, [b"x"])
    for key in ("jobs/known", "jobs/orphan"):
        os.utime(tmp_path / "objects" / key, (0, 0))

    steward.sweep()
    steward.collect()

    assert sorted(found.key for found in objects.list("jobs/")) == ["jobs/known", "jobs/young"]


def test_an_upload_that_never_ended_expires(
    steward: Steward, objects: ObjectStore, sessions: Sessions, project_id: str
) -> None:
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "abandoned")
        objects.put(row.object_key, [b"half"])
    steward.expire()
    with sessions.begin() as session:
        session.execute(update(Dataset).values(created_at=func.clock_timestamp() - timedelta(days=2)))
    steward.expire()
    steward.collect()
    with sessions.begin() as session:
        assert session.scalars(select(Dataset)).all() == []
    with pytest.raises(ObjectMissing):
        objects.head(row.object_key)


def test_a_chore_that_fails_does_not_stop_the_others(
    steward: Steward, make_job: Callable[[], Job], broker: Redis
) -> None:
    def fail() -> None:
        raise OSError("disk full")

    make_job()
    steward.chores[-1].action = fail
    steward.chores.insert(0, steward.chores.pop())
    steward.round()
    assert broker.llen("jobs") == 1
