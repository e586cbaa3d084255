"""What a worker brings to a folder before the child begins."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from store import checkpoints, leases
from store.checkpoints import NewCheckpoint
from store.database import Sessions
from store.leases import Lease
from store.objects import ObjectStore
from store.tables import Job
from worker.materialise import fetch_checkpoints
from worker.workplace import Workplace

pytestmark = pytest.mark.integration

CONTENT = b"weights and momentum" * 50
Publish = Callable[..., str]


@pytest.fixture
def lease(sessions: Sessions, make_job: Callable[[], Job]) -> Lease:
    job = make_job()
    with sessions.begin() as session:
        claim = leases.claim(session, job.id, worker_id="w", lease=timedelta(seconds=75))
    assert claim is not None
    return claim.lease


@pytest.fixture
def publish(sessions: Sessions, objects: ObjectStore, lease: Lease) -> Publish:
    """Publishes a checkpoint of the teacher; returns its object's key."""

    def run(step: int, *, final: bool = False) -> str:
        name = "final.pt" if final else f"step-{step:09d}.pt"
        stored = objects.put(f"jobs/j/{step}/{name}", [CONTENT, str(step).encode()])
        path = f"checkpoints/teacher-0/{name}"
        new = NewCheckpoint("teacher", 0, step, final, path, stored.key, stored.size, stored.sha256)
        with sessions.begin() as session:
            checkpoints.publish(session, lease, new)
        return stored.key

    return run


def fetched(place: Workplace, lease: Lease, out: Path) -> list[str]:
    fetch_checkpoints(place, lease, out, lambda: None)
    return sorted(path.name for path in out.rglob("*") if path.is_file())


def damage(content: bytes, kind: str) -> bytes:
    flipped = bytes([content[100] ^ 1])
    return {"truncated": content[:-7], "flipped": content[:100] + flipped + content[101:], "empty": b""}[kind]


@pytest.mark.parametrize("kind", ["truncated", "flipped", "empty", "gone"])
@pytest.mark.parametrize("final", [False, True])
def test_a_damaged_checkpoint_is_named_in_an_event_and_gives_way_to_the_one_before(
    kind: str,
    final: bool,
    place: Workplace,
    lease: Lease,
    publish: Publish,
    objects: ObjectStore,
    look: Any,
    tmp_path: Path,
) -> None:
    publish(3)
    key = publish(6, final=final)
    if kind == "gone":
        objects.delete(key)
    else:
        objects.put(key, [damage(b"".join(objects.get(key)), kind)])

    assert fetched(place, lease, tmp_path / "out") == ["step-000000003.pt"]
    (told,) = look.events(lease.job_id, "log")
    assert (told["level"], told["code"]) == ("warning", "checkpoint_damaged")
    assert f"checkpoints/teacher-0/{'final' if final else 'step-000000006'}.pt" in told["message"]


class CutsOnce:
    """An object store on a bad line: the first answer ends early, without an error."""

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner
        self.cuts = 1

    def get(self, key: str) -> Iterator[bytes]:
        content = b"".join(self._inner.get(key))
        yield content[: len(content) // 2] if self.cuts else content
        self.cuts = 0


def test_what_only_the_way_damaged_is_fetched_again_and_kept(
    place: Workplace, lease: Lease, publish: Publish, objects: ObjectStore, look: Any, tmp_path: Path
) -> None:
    publish(3)
    publish(6)
    line = CutsOnce(objects)

    assert fetched(replace(place, objects=cast("ObjectStore", line)), lease, tmp_path / "out") == ["step-000000006.pt"]
    assert line.cuts == 0
    assert look.events(lease.job_id, "log") == []
