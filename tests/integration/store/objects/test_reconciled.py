from datetime import timedelta

import pytest

from store import datasets
from store.database import Sessions
from store.objects import ObjectStore, S3Store, StorageRefused
from store.reconciliation import delete_orphans, reconcile

NOW = timedelta(0)


def test_every_kind_of_store_is_compared_with_the_database(
    objects: ObjectStore, sessions: Sessions, project_id: str
) -> None:
    with sessions.begin() as session:
        whole, cut, gone = (datasets.begin(session, project_id, name) for name in ("whole", "cut", "gone"))
        for row in (whole, cut, gone):
            row.size, row.state = 10, "ready"
    objects.put(whole.object_key, [b"ten bytes!"])
    objects.put(cut.object_key, [b"ten"])
    objects.put("jobs/a/orphan", [b"x"])

    result = reconcile(sessions, objects, NOW)
    found = {one.promise.key: (one.reason, one.found) for one in result.broken}
    assert found == {cut.object_key: ("other size", 3), gone.object_key: ("missing", None)}
    assert [orphan.key for orphan in result.orphans] == ["jobs/a/orphan"]

    assert delete_orphans(sessions, objects, result.orphans) == 1
    assert {left.key for left in objects.list()} == {whole.object_key, cut.object_key}


def test_a_bucket_that_is_not_there_is_not_an_empty_one(no_bucket: S3Store, sessions: Sessions) -> None:
    with pytest.raises(StorageRefused, match="bucket"):
        reconcile(sessions, no_bucket, NOW)
