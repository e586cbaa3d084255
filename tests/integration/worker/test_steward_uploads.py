from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import receiving
from store.database import Sessions
from store.objects import ObjectStore
from store.settings import Settings
from store.tables import Upload
from store.uploads import Asked, Limits
from worker.steward import Steward

pytestmark = pytest.mark.integration
LIMITS = Limits(upload_bytes=10, part_bytes=5, project_bytes=None, expiry=timedelta(hours=72))


def test_the_steward_ends_what_was_abandoned_and_nothing_else(
    settings: Settings, sessions: Sessions, objects: ObjectStore, project_id: str
) -> None:
    left, kept = (
        receiving.begin(sessions, objects, project_id, Asked(name, 10, "application/zip"), LIMITS)
        for name in ("left", "kept")
    )
    for row in (left, kept):
        receiving.take_part(sessions, objects, row, 1, [b"12345"], None)
    with sessions.begin() as session:
        session.execute(update(Upload).where(Upload.id == left.id).values(expires_at=func.clock_timestamp()))

    steward = Steward(settings.model_copy(update={"upload_expiry_hours": 72}), sessions, objects)
    steward.tidy_uploads()
    steward.sweep()

    with sessions.begin() as session:
        states = {row.id: row.state for row in session.scalars(select(Upload))}
    assert states == {left.id: "expired", kept.id: "open"}
    assert [part.number for part in receiving.parts_of(objects, kept)] == [1]
