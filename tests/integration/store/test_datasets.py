from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import datasets, projects
from store.database import Sessions
from store.errors import DatasetNotReady, LeaseLost, NotFound
from store.tables import Dataset, Garbage, Outbox

pytestmark = pytest.mark.integration

LEASE = timedelta(seconds=75)


@pytest.fixture
def uploaded(sessions: Sessions, project_id: str) -> Dataset:
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "cells")
    with sessions.begin() as session:
        return datasets.uploaded(session, project_id, row.id, size=3, sha256="0" * 64)


def claim(sessions: Sessions, dataset_id: str) -> str:
    with sessions.begin() as session:
        row = datasets.claim_check(session, dataset_id, LEASE)
    assert row is not None
    assert row.check_token is not None
    return row.check_token


def test_a_complete_upload_waits_for_its_check_and_is_announced(sessions: Sessions, uploaded: Dataset) -> None:
    assert uploaded.state == "checking"
    with sessions.begin() as session:
        assert session.scalars(select(Outbox.subject_id).where(Outbox.kind == "dataset")).all() == [uploaded.id]


def test_an_upload_completes_once(sessions: Sessions, project_id: str, uploaded: Dataset) -> None:
    with pytest.raises(DatasetNotReady), sessions.begin() as session:
        datasets.uploaded(session, project_id, uploaded.id, size=3, sha256="0" * 64)


def test_an_abandoned_upload_leaves_only_its_object_to_be_collected(sessions: Sessions, project_id: str) -> None:
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "cells")
        datasets.abandon(session, project_id, row.id)
    with sessions.begin() as session:
        assert session.scalars(select(Dataset)).all() == []
        assert session.scalars(select(Garbage.object_key)).all() == [row.object_key]


def test_a_check_makes_it_ready(sessions: Sessions, uploaded: Dataset) -> None:
    token = claim(sessions, uploaded.id)
    with sessions.begin() as session:
        row = datasets.finish_check(session, uploaded.id, token, report={"images": 2})
    assert (row.state, row.report) == ("ready", {"images": 2})


def test_a_check_with_an_error_rejects_it(sessions: Sessions, uploaded: Dataset) -> None:
    token = claim(sessions, uploaded.id)
    with sessions.begin() as session:
        row = datasets.finish_check(session, uploaded.id, token, report=None, error={"code": "bad_archive"})
    assert (row.state, row.error) == ("rejected", {"code": "bad_archive"})


def test_an_expired_check_writes_nothing(sessions: Sessions, uploaded: Dataset) -> None:
    token = claim(sessions, uploaded.id)
    with sessions.begin() as session:
        session.execute(update(Dataset).values(check_expires_at=func.clock_timestamp()))
    with sessions.begin() as session:
        assert not datasets.renew_check(session, uploaded.id, token, LEASE)
    with pytest.raises(LeaseLost), sessions.begin() as session:
        datasets.finish_check(session, uploaded.id, token, report={})


def test_a_check_of_somebody_elses_writes_nothing(sessions: Sessions, uploaded: Dataset) -> None:
    claim(sessions, uploaded.id)
    with sessions.begin() as session:
        assert not datasets.renew_check(session, uploaded.id, "guessed", LEASE)
    with pytest.raises(LeaseLost), sessions.begin() as session:
        datasets.finish_check(session, uploaded.id, "guessed", report={})


def test_a_deleted_data_set_is_gone_for_users_and_workers(sessions: Sessions, project_id: str, dataset_id: str) -> None:
    with sessions.begin() as session:
        datasets.delete(session, project_id, dataset_id)
    with sessions.begin() as session:
        assert datasets.list_page(session, project_id).rows == []
        assert session.scalars(select(Garbage.object_key)).all() == [f"datasets/{dataset_id}/archive"]
        with pytest.raises(NotFound):
            datasets.get(session, project_id, dataset_id)
        with pytest.raises(NotFound):
            datasets.for_attempt(session, dataset_id)


@pytest.mark.parametrize("action", ["get", "delete", "abandon"])
def test_another_projects_data_set_is_not_found(sessions: Sessions, dataset_id: str, action: str) -> None:
    with sessions.begin() as session:
        other = projects.ensure(session, "other")
        assert datasets.list_page(session, other.id).rows == []
        with pytest.raises(NotFound):
            getattr(datasets, action)(session, other.id, dataset_id)
