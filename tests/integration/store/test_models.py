"""What keeps a model's row, its object and its message together when something is lost in between."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import garbage, models, outbox
from store.database import Sessions
from store.models import Architecture
from store.objects import ObjectStore
from store.reconciliation import reconcile
from store.tables import Garbage, Model, Outbox

pytestmark = pytest.mark.integration

NOW, HOUR = timedelta(0), timedelta(hours=1)
DECLARED = Architecture("shuffledet-1x", ("cell",), (64, 48), ((8.0, 8.0),))


@pytest.fixture
def uploading(sessions: Sessions, project_id: str) -> Model:
    with sessions.begin() as session:
        return models.begin(session, project_id, "model", DECLARED)


@pytest.fixture
def uploaded(sessions: Sessions, uploading: Model, objects: ObjectStore) -> Model:
    stored = objects.put(uploading.object_key, [b"weights"])
    with sessions.begin() as session:
        return models.uploaded(session, uploading.project_id, uploading.id, size=stored.size, sha256=stored.sha256)


def grow_old(sessions: Sessions) -> None:
    ago = func.clock_timestamp() - 2 * HOUR
    with sessions.begin() as session:
        session.execute(update(Model).values(created_at=ago, published_at=ago))


def test_what_was_declared_comes_back_as_it_was(uploading: Model) -> None:
    assert models.architecture_of(uploading) == DECLARED


def test_a_complete_upload_is_announced_and_again_when_its_message_is_lost(sessions: Sessions, uploaded: Model) -> None:
    with sessions.begin() as session:
        assert session.scalars(select(Outbox.subject_id).where(Outbox.kind == "model")).all() == [uploaded.id]
        assert outbox.forgotten_checks(session, Model, HOUR) == []
    grow_old(sessions)
    with sessions.begin() as session:
        assert outbox.forgotten_checks(session, Model, HOUR) == [uploaded.id]
        outbox.announced(session, "model", [uploaded.id])
    with sessions.begin() as session:
        assert outbox.forgotten_checks(session, Model, HOUR) == []


def test_an_upload_that_never_completed_is_dropped_in_the_end(sessions: Sessions, uploading: Model) -> None:
    with sessions.begin() as session:
        assert models.expire_uploads(session, HOUR) == 0
    grow_old(sessions)
    with sessions.begin() as session:
        assert models.expire_uploads(session, HOUR) == 1
        assert session.scalars(select(Garbage.object_key)).all() == [uploading.object_key]


def test_weights_are_no_orphan_until_their_model_is_deleted(
    sessions: Sessions, uploaded: Model, objects: ObjectStore
) -> None:
    with sessions.begin() as session:
        assert garbage.unreferenced(session, [uploaded.object_key]) == set()
    result = reconcile(sessions, objects, NOW)
    assert (result.rows, result.broken, result.orphans) == (1, [], [])

    with sessions.begin() as session:
        models.delete(session, uploaded.project_id, uploaded.id)
        assert garbage.take_due(session) == [uploaded.object_key]


def test_weights_that_are_gone_are_found(sessions: Sessions, uploaded: Model, objects: ObjectStore) -> None:
    objects.delete(uploaded.object_key)
    (broken,) = reconcile(sessions, objects, NOW).broken
    assert (broken.promise.table, broken.reason) == ("model", "missing")
