"""A data set written in another format: fetch, unpack, convert, pack, store, and only then the row that says so."""

import logging
from datetime import timedelta
from hashlib import file_digest
from pathlib import Path

from fgfi_core.data.convert import Converted, convert
from fgfi_core.data.packing import pack
from fgfi_core.errors import JobError
from store import check_leases, exports, garbage
from store.errors import LeaseLost, StoreError
from store.jsonable import clean
from store.objects import Stored, read_file
from store.objects.errors import StorageAway
from store.tables import Dataset, Export
from store.tables.base import Json
from worker.checks import Renewal
from worker.materialise import unpacked
from worker.scratch import attempt_folder
from worker.workplace import Workplace

LISTED = 200
"""New names of images that a report lists; it counts all."""

log = logging.getLogger(__name__)


def make_export(place: Workplace, export_id: str) -> bool:
    """Make an export once. False: there was nothing to do (made, taken by another, deleted)."""
    lease = timedelta(seconds=place.settings.lease_seconds)
    keep = timedelta(hours=place.settings.export_hours)
    with place.sessions.begin() as session:
        taken = exports.claim(session, export_id, lease, keep)
    if taken is None or taken[0].check_token is None:
        return False
    row, source = taken
    token = taken[0].check_token
    with Renewal(place, row.id, lambda session, lease: check_leases.renew(session, Export, row.id, token, lease)):
        try:
            report, archive = _made(place, row, source, token)
            error: Json | None = None
        except JobError as refused:
            report, archive = None, None
            error = {"code": refused.code, "message": refused.message, "hint": refused.hint}
        except StoreError as broken:
            # The archive could not be had or stored: left to expire, and then tried again, a few times.
            log.warning("export %s broke: %s", export_id, broken)
            if isinstance(broken, StorageAway):
                with place.sessions.begin() as session:
                    check_leases.excuse(session, Export, row.id, token)
            return True
    try:
        with place.sessions.begin() as session:
            exports.finish(session, row.id, token, keep, report=report, error=error, archive=archive)
    except LeaseLost as lost:
        log.warning("export %s discarded: %s", export_id, lost)
        if archive is not None:
            with place.sessions.begin() as session:
                garbage.add(session, [archive.key])
    return True


def _made(place: Workplace, row: Export, source: Dataset, token: str) -> tuple[Json, Stored]:
    """What was written, and its archive. Raises JobError for what the format cannot hold, StoreError."""
    scratch = place.scratch / f"{row.id}-{token[:8]}"
    with attempt_folder(scratch), unpacked(place, source) as folder:
        # Links take no space: cache and scratch are on one disk.
        done = convert(folder, scratch / "data", row.format, copy="link")
        packed = scratch / "data.zip"
        pack(scratch / "data", packed)
        return _report(done), _stored(place, packed, f"datasets/{source.id}/exports/{row.id}-{token[:8]}.zip")


def _stored(place: Workplace, file: Path, key: str) -> Stored:
    with file.open("rb") as content:
        sha256 = file_digest(content, "sha256").hexdigest()
    return place.objects.put(key, read_file(file), size=file.stat().st_size, sha256=sha256)


def _report(done: Converted) -> Json:
    report: Json = clean(
        {
            "source_format": done.source_format,
            "images": done.images,
            "boxes": done.boxes,
            "splits": dict(done.splits),
            "classes": list(done.classes),
            "losses": [{"what": loss.what, "count": loss.count} for loss in done.losses],
            "renamed": dict(list(done.renamed.items())[:LISTED]),
            "renamed_count": len(done.renamed),
        }
    )
    return report
