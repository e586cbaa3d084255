"""The check of an uploaded data set: fetch, unpack safely, look at every image and box, write the verdict."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy.orm import Session

from fgfi_core import data
from fgfi_core.data import thumbnails as small
from fgfi_core.data.check import Finding
from fgfi_core.errors import JobError
from store import datasets, thumbnails
from store.database import AWAY
from store.errors import LeaseLost, StoreError
from store.jsonable import clean_text
from store.objects.errors import StorageAway
from store.tables import Dataset, Thumbnail
from store.tables.base import Json
from worker import clock
from worker.materialise import unpacked
from worker.workplace import Workplace

TELL_SECONDS = 1.0

log = logging.getLogger(__name__)


def check_dataset(place: Workplace, dataset_id: str) -> bool:
    """Check a data set once. False: there was nothing to do (checked, taken by another, deleted)."""
    lease = timedelta(seconds=place.settings.lease_seconds)
    with place.sessions.begin() as session:
        row = datasets.claim_check(session, dataset_id, lease)
    if row is None or row.check_token is None:
        return False
    token = row.check_token
    with Renewal(place, row.id, lambda session, lease: datasets.renew_check(session, row.id, token, lease)):
        try:
            report, error, pictures = _verdict(place, row, token)
        except StoreError as broken:
            # The archive could not be had: left to expire, and then checked again, a few times.
            log.warning("check of data set %s broke: %s", dataset_id, broken)
            if isinstance(broken, StorageAway):
                with place.sessions.begin() as session:
                    datasets.excuse_check(session, row.id, token)
            return True
    try:
        with place.sessions.begin() as session:
            datasets.finish_check(session, row.id, token, report=report, error=error)
            thumbnails.replace(session, row.id, pictures)
    except LeaseLost as lost:
        log.warning("check of data set %s discarded: %s", dataset_id, lost)
    return True


def _verdict(place: Workplace, row: Dataset, token: str) -> tuple[Json | None, Json | None, list[Thumbnail]]:
    """The report, the error that rejects the data set, and its pictures.

    Raises StoreError when nothing could be looked at.
    """
    try:
        with unpacked(place, row) as folder:
            found = data.check(folder, on_image=_Progress(place, row.id, token))
            pictures = list(_pictures(place, row.id, token, data.read(folder))) if found.usable else []
    except JobError as error:
        return None, {"code": error.code, "message": error.message, "hint": error.hint}, []
    report = found.model_dump(mode="json")
    if found.usable:
        return report, None, pictures
    first = next((f"{_place(p)}: {p.message}" for p in found.problems if p.severity == "error"), "")
    count = found.problem_counts.get("error", 0)
    message = f"{count} error{'s' if count != 1 else ''} found; the first: {first}"
    error_facts = {
        "code": "unusable_data",
        "message": message,
        "hint": "Mend what the report lists, and upload again.",
    }
    return report, error_facts, []


class _Progress:
    """Notes how far the check is, about once a second."""

    def __init__(self, place: Workplace, dataset_id: str, token: str) -> None:
        self._place, self._dataset_id, self._token = place, dataset_id, token
        self._told_at = -TELL_SECONDS

    def __call__(self, done: int, total: int) -> None:
        if clock.now() - self._told_at < TELL_SECONDS:
            return
        self._told_at = clock.now()
        try:
            with self._place.sessions.begin() as session:
                thumbnails.tell(session, self._dataset_id, self._token, done, total)
        except AWAY as error:
            log.warning("progress of %s not written: %s", self._dataset_id, error)


def _pictures(place: Workplace, dataset_id: str, token: str, dataset: data.Dataset) -> Iterator[Thumbnail]:
    """Make and store them; a check whose lease is lost leaves objects without a row, which the steward collects."""
    for number, one in enumerate(small.make(dataset), start=1):
        key = f"datasets/{dataset_id}/thumbnails/{token[:8]}-{number}.webp"
        stored = place.objects.put(key, [one.content])
        yield Thumbnail(
            dataset_id=dataset_id,
            number=number,
            image=clean_text(one.image_id),
            split=clean_text(one.split),
            width=one.size[0],
            height=one.size[1],
            boxes=[{"label": clean_text(label), "box": list(box)} for label, box in one.boxes],
            object_key=stored.key,
            size=stored.size,
            sha256=stored.sha256,
        )


def _place(finding: Finding) -> str:
    return finding.file if finding.line is None else f"{finding.file}:{finding.line}"


class Renewal:
    """Keeps the lease of a check while it runs. A lost one shows when its outcome is written.

    renew: prolongs it, and says whether it was there to be prolonged.
    """

    def __init__(self, place: Workplace, subject_id: str, renew: Callable[[Session, timedelta], bool]) -> None:
        self._place = place
        self._subject_id = subject_id
        self._renew_in = renew
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="check lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        lease = timedelta(seconds=self._place.settings.lease_seconds)
        while not self._over.wait(self._place.settings.heartbeat_seconds):
            try:
                with self._place.sessions.begin() as session:
                    if not self._renew_in(session, lease):
                        return
            except AWAY as error:
                log.warning("check lease of %s not renewed, trying again: %s", self._subject_id, error)
