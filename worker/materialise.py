"""Bringing to a local folder what a child needs: the data set, the spec, and the checkpoints to go on from."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fgfi_core.data import archive
from store import attempts, checkpoints, datasets
from store.errors import NotFound, ObjectDamaged, ObjectMissing, StoreError
from store.leases import Lease
from store.objects import ObjectStore
from store.tables import Checkpoint, Dataset, Job
from store.tables.base import Json
from worker.workplace import Workplace

TRIES = 2
GONE_HINT = "Add the data set again and submit the job with the new id."


class DatasetGone(StoreError):
    """The job's data set was deleted."""

    code = "dataset_gone"


@contextmanager
def dataset_folder(place: Workplace, dataset_id: str) -> Iterator[Path]:
    """The unpacked data set, kept in the cache for the length of a block. Raises DatasetGone, BadData, StoreError."""
    row = _dataset(place, dataset_id)
    try:
        with unpacked(place, row) as folder:
            yield folder
    except ObjectMissing:
        # Deleted after we asked, or really missing: asking again tells.
        _dataset(place, dataset_id)
        raise


@contextmanager
def unpacked(place: Workplace, row: Dataset) -> Iterator[Path]:
    """A data set's archive, fetched, verified and unpacked into the cache (where it may be already)."""
    if row.sha256 is None or row.size is None:
        raise ObjectMissing(f"data set '{row.id}' has no archive")
    size, sha256 = row.size, row.sha256

    def fill(folder: Path) -> None:
        packed = folder.with_name(f"{folder.name}.archive")
        try:
            download(place.objects, row.object_key, packed, size=size, sha256=sha256)
            archive.extract(packed, folder)
        finally:
            packed.unlink(missing_ok=True)

    with place.cache.use(sha256, fill) as folder:
        yield folder


def write_job(folder: Path, job: Job, data: Path) -> None:
    """Lay out a job's folder: `spec.json`, `data` (a link to the data set), `out`."""
    (folder / "out").mkdir()
    (folder / "data").symlink_to(data, target_is_directory=True)
    (folder / "spec.json").write_text(json.dumps(job.spec), encoding="utf-8")


def fetch_checkpoints(place: Workplace, lease: Lease, out: Path, check: Callable[[], None]) -> None:
    """Put into `out` what earlier attempts left: results of finished stages, the newest state of unfinished ones.

    A damaged checkpoint is marked, said in the job's log, and the one before is taken. check: called between files,
    raises to break off. Raises LeaseLost.
    """
    with place.sessions.begin() as session:
        stages = checkpoints.to_resume(session, lease.job_id)
    taken: list[Checkpoint] = []
    for stage in stages:
        finals = [_newest_whole(place, lease, versions, out, check) for versions in stage.finals]
        taken += [row for row in finals if row is not None]
        if not finals or None in finals:
            row = _newest_whole(place, lease, stage.steps, out, check)
            taken += [row] if row is not None else []
    if taken:
        with place.sessions.begin() as session:
            attempts.resumed(session, lease, [_facts(row) for row in taken])


def download(objects: ObjectStore, key: str, target: Path, *, size: int, sha256: str) -> None:
    """Fetch an object to a file, which exists only when it is whole. Raises ObjectMissing, ObjectDamaged."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.part")
    digest = hashlib.sha256()
    try:
        with draft.open("wb") as file:
            for chunk in objects.get(key):
                digest.update(chunk)
                file.write(chunk)
        if draft.stat().st_size != size or digest.hexdigest() != sha256:
            raise ObjectDamaged(f"{key}: not the content that was stored")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _newest_whole(
    place: Workplace, lease: Lease, versions: Sequence[Checkpoint], out: Path, check: Callable[[], None]
) -> Checkpoint | None:
    for row in versions:
        check()
        try:
            _fetch(place, row, out, check)
        except (ObjectMissing, ObjectDamaged) as error:
            with place.sessions.begin() as session:
                checkpoints.mark_damaged(session, lease, row.id, error.message)
        else:
            return row
    return None


def _fetch(place: Workplace, row: Checkpoint, out: Path, check: Callable[[], None]) -> None:
    """Fetch once more what came damaged: perhaps the way did it, and a checkpoint given up is given up for good."""
    for left in reversed(range(TRIES)):
        try:
            return download(place.objects, row.object_key, out / row.path, size=row.size, sha256=row.sha256)
        except ObjectDamaged:
            if not left:
                raise
            check()
    return None


def _dataset(place: Workplace, dataset_id: str) -> Dataset:
    with place.sessions.begin() as session:
        try:
            return datasets.for_attempt(session, dataset_id)
        except NotFound as error:
            raise DatasetGone(error.message, hint=GONE_HINT) from error


def _facts(row: Checkpoint) -> Json:
    return {"stage": row.stage, "seed": row.seed, "step": row.step, "final": row.final, "attempt": row.attempt}
