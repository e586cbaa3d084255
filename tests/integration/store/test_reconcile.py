import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from store import artifacts, checkpoints, datasets, garbage
from store.artifacts import NewArtifact
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.leases import Claim
from store.objects import FolderStore, ObjectInfo, ObjectStore, StorageAway
from store.reconciliation import Reconciliation, delete_orphans, reconcile
from store.settings import Settings
from store.tables import Dataset

NOW = timedelta(0)
CONTENT = b"ten bytes!"
SHA256 = sha256(CONTENT).hexdigest()


@pytest.fixture
def checkpoint(sessions: Sessions, objects: ObjectStore, claim: Claim) -> str:
    """The key of a published checkpoint."""
    key = "jobs/a/teacher.pt"
    objects.put(key, [CONTENT])
    with sessions.begin() as session:
        checkpoints.publish(
            session, claim.lease, NewCheckpoint("teacher", 0, 1, True, "teacher.pt", key, len(CONTENT), SHA256)
        )
    return key


@pytest.fixture
def artifact(sessions: Sessions, objects: ObjectStore, claim: Claim) -> str:
    """The key of a published artifact."""
    key = "jobs/a/student.onnx"
    objects.put(key, [CONTENT])
    new = NewArtifact("student.onnx", "onnx", "student.onnx", key, "application/octet-stream", len(CONTENT), SHA256)
    with sessions.begin() as session:
        artifacts.publish(session, claim.lease, new)
    return key


@pytest.fixture
def archive(sessions: Sessions, objects: ObjectStore, project_id: str) -> str:
    """The key of an uploaded archive."""
    with sessions.begin() as session:
        row = datasets.begin(session, project_id, "cells")
    objects.put(row.object_key, [CONTENT])
    with sessions.begin() as session:
        datasets.uploaded(session, project_id, row.id, size=len(CONTENT), sha256=SHA256)
    return row.object_key


@pytest.fixture(autouse=True)
def whole(sessions: Sessions, objects: ObjectStore, dataset_id: str, claim: Claim) -> None:
    """The ready data set of the job that holds the lease gets its archive, which is empty."""
    assert claim.lease.job_id
    with sessions.begin() as session:
        row = session.get_one(Dataset, dataset_id)
        row.sha256 = sha256(b"").hexdigest()
    objects.put(row.object_key, [])


def broken(result: Reconciliation) -> list[tuple[str, str, int | None]]:
    return [(one.promise.key, one.reason, one.found) for one in result.broken]


def test_rows_with_their_objects_are_in_order(
    sessions: Sessions, objects: ObjectStore, checkpoint: str, artifact: str, archive: str
) -> None:
    result = reconcile(sessions, objects, NOW, contents=True)
    assert (result.rows, result.objects, result.broken, result.orphans) == (4, 4, [], [])
    assert {checkpoint, artifact, archive} <= {found.key for found in objects.list()}


def test_each_kind_of_row_misses_its_object(
    sessions: Sessions, objects: ObjectStore, checkpoint: str, artifact: str, archive: str
) -> None:
    for key in (checkpoint, artifact, archive):
        objects.delete(key)
    result = reconcile(sessions, objects, NOW)

    assert sorted(broken(result)) == sorted((key, "missing", None) for key in (checkpoint, artifact, archive))
    assert {one.promise.table for one in result.broken} == {"checkpoint", "artifact", "dataset"}


def test_an_object_of_another_size_is_found(sessions: Sessions, objects: ObjectStore, checkpoint: str) -> None:
    objects.put(checkpoint, [CONTENT[:-3]])
    assert broken(reconcile(sessions, objects, NOW)) == [(checkpoint, "other size", 7)]


def test_other_content_is_found_when_contents_are_read(sessions: Sessions, objects: ObjectStore, artifact: str) -> None:
    objects.put(artifact, [b"TEN BYTES!"])
    assert broken(reconcile(sessions, objects, NOW)) == []
    assert broken(reconcile(sessions, objects, NOW, contents=True)) == [(artifact, "other content", 10)]


def test_an_object_without_a_row_is_an_orphan_after_the_grace_period(sessions: Sessions, objects: ObjectStore) -> None:
    objects.put("jobs/a/orphan", [CONTENT])
    assert reconcile(sessions, objects, timedelta(hours=1)).orphans == []
    result = reconcile(sessions, objects, NOW)
    assert [found.key for found in result.orphans] == ["jobs/a/orphan"]
    assert result.broken == []


def test_what_the_steward_will_delete_is_no_orphan(sessions: Sessions, objects: ObjectStore) -> None:
    objects.put("jobs/a/old", [CONTENT])
    with sessions.begin() as session:
        garbage.add(session, ["jobs/a/old"])
    assert reconcile(sessions, objects, NOW).orphans == []


def test_an_upload_under_way_is_no_orphan_and_no_broken_row(
    sessions: Sessions, objects: ObjectStore, project_id: str
) -> None:
    with sessions.begin() as session:
        missing = datasets.begin(session, project_id, "one")
        there = datasets.begin(session, project_id, "two")
    objects.put(there.object_key, [CONTENT])
    result = reconcile(sessions, objects, NOW)
    assert (result.broken, result.orphans) == ([], [])
    assert missing.size is None


def test_deleted_and_damaged_rows_promise_nothing(
    sessions: Sessions, objects: ObjectStore, claim: Claim, checkpoint: str, archive: str, project_id: str
) -> None:
    with sessions.begin() as session:
        (row,) = checkpoints.list_all(session, project_id, claim.lease.job_id)
        checkpoints.mark_damaged(session, claim.lease, row.id, "cut off")
        datasets.delete(session, project_id, archive.split("/")[1])
    objects.delete(checkpoint)
    objects.delete(archive)
    assert reconcile(sessions, objects, NOW).broken == []


def test_only_orphans_are_deleted(sessions: Sessions, objects: ObjectStore, checkpoint: str) -> None:
    objects.put("jobs/a/orphan", [CONTENT])
    objects.put("jobs/a/adopted", [CONTENT])
    result = reconcile(sessions, objects, NOW)
    with sessions.begin() as session:
        garbage.add(session, ["jobs/a/adopted"])  # Named since then, by whatever row.

    assert delete_orphans(sessions, objects, result.orphans) == 1
    left = {found.key for found in objects.list("jobs/")}
    assert left == {checkpoint, "jobs/a/adopted"}
    assert reconcile(sessions, objects, NOW).orphans == []


def test_more_rows_than_a_batch_are_all_compared(
    sessions: Sessions, objects: ObjectStore, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.reconciliation.BATCH", 3)
    for number in range(8):
        new = NewArtifact(f"file{number}", "onnx", "x", f"jobs/a/{number}", "text/plain", 10, SHA256)
        with sessions.begin() as session:
            artifacts.publish(session, claim.lease, new)
        if number != 6:
            objects.put(f"jobs/a/{number}", [CONTENT])
    for number in range(8):
        objects.put(f"orphans/{number}", [CONTENT])

    result = reconcile(sessions, objects, NOW)
    assert (result.rows, broken(result)) == (9, [("jobs/a/6", "missing", None)])
    assert len(result.orphans) == 8
    assert delete_orphans(sessions, objects, result.orphans) == 8


class ListedBefore(FolderStore):
    """A store in which something happens between its list and the comparison."""

    after_listing: Callable[[], None]

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        yield from list(super().list(prefix))
        self.after_listing()


def test_what_comes_while_it_runs_is_not_missed(
    sessions: Sessions, objects: ObjectStore, claim: Claim, tmp_path: Path
) -> None:
    new = NewArtifact("late", "onnx", "late", "jobs/a/late", "text/plain", 10, SHA256)
    store = ListedBefore(tmp_path / "objects")

    def publish() -> None:
        objects.put("jobs/a/late", [CONTENT])
        with sessions.begin() as session:
            artifacts.publish(session, claim.lease, new)

    store.after_listing = publish
    assert broken(reconcile(sessions, store, NOW)) == []


def test_what_goes_while_it_runs_is_not_broken(
    sessions: Sessions, objects: ObjectStore, project_id: str, archive: str, tmp_path: Path
) -> None:
    class Deleting(FolderStore):
        def head(self, key: str) -> ObjectInfo:
            # The row goes after it was read, and the object before it is looked at.
            with sessions.begin() as session:
                datasets.delete(session, project_id, archive.split("/")[1])
            return super().head(key)

    objects.delete(archive)
    assert broken(reconcile(sessions, Deleting(tmp_path / "objects"), NOW)) == []


def test_a_store_that_is_away_is_not_a_store_without_objects(
    sessions: Sessions, objects: ObjectStore, checkpoint: str, tmp_path: Path
) -> None:
    (tmp_path / "objects").rename(tmp_path / "unmounted")
    with pytest.raises(StorageAway):
        reconcile(sessions, objects, NOW)
    assert checkpoint


def command(settings: Settings, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator runs it."""
    environment = {
        "PATH": os.environ["PATH"],
        "FGFI_DATABASE_URL": settings.database_url,
        "FGFI_REDIS_URL": settings.redis_url,
        "FGFI_STORAGE_URL": settings.storage_url,
        "FGFI_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    return subprocess.run(
        [sys.executable, "-m", "store.reconcile", *arguments],
        env=environment | changes,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_says_what_is_wrong_and_exits_with_1(
    settings: Settings, objects: ObjectStore, checkpoint: str, artifact: str
) -> None:
    objects.delete(checkpoint)
    objects.put(artifact, [b"short"])
    said = command(settings)

    assert said.returncode == 1
    assert f"{checkpoint} (10 bytes)" in said.stdout
    assert f"{artifact} (10 bytes, 5 bytes found)" in said.stdout
    assert said.stdout.endswith("3 rows, 2 objects: 2 rows without their object, 0 orphans of 0 bytes, 0 deleted.\n")


def test_the_command_deletes_orphans_and_reports_as_json(settings: Settings, objects: ObjectStore) -> None:
    objects.put("jobs/a/orphan", [CONTENT])
    said = command(settings, "--json", "--delete-orphans", "--grace-hours", "0")

    assert said.returncode == 0
    report = json.loads(said.stdout)
    assert (report["rows"], report["objects"], report["broken"], report["deleted"]) == (1, 2, [], 1)
    assert (report["orphans"][0]["key"], report["orphans"][0]["size"]) == ("jobs/a/orphan", 10)
    assert list(objects.list("jobs")) == []


@pytest.mark.parametrize(
    ("arguments", "changes", "code"),
    [
        (("--grace-hours", "-1"), {}, 2),
        ((), {"FGFI_SECRET_KEY": "short"}, 2),
        ((), {"FGFI_DATABASE_URL": "postgresql://user:hidden@127.0.0.1:1/none"}, 3),
        ((), {"FGFI_STORAGE_URL": "file:///proc/none"}, 3),
    ],
    ids=["command line", "settings", "database away", "store away"],
)
def test_the_command_says_why_it_cannot_work(
    settings: Settings, arguments: tuple[str, ...], changes: dict[str, str], code: int
) -> None:
    said = command(settings, *arguments, **changes)
    assert said.returncode == code
    assert said.stderr.strip()
    assert "Traceback" not in said.stderr
    assert "hidden" not in said.stderr
    assert said.stdout == ""
