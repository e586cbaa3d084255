"""An upload in parts between database and object store: begin -> take parts in any order -> complete, or abort.

Each step commits before it touches the object store and after, never meanwhile; what a process that dies leaves
behind, the next call or the steward's `tidy` puts right.
"""

from collections.abc import Callable, Iterable, Sequence

from store import uploads
from store.database import Sessions
from store.errors import (
    ContentMismatch,
    LeaseLost,
    NotFound,
    ObjectDamaged,
    ObjectMissing,
    PartRefused,
    TooLarge,
    UploadIncomplete,
    WrongState,
)
from store.objects import ObjectStore, Part, Stored
from store.objects.parts import read_back
from store.tables import Upload
from store.uploads import Asked, Limits

HEAD = 512
_NAMED = 5


def begin(sessions: Sessions, objects: ObjectStore, project_id: str, asked: Asked, limits: Limits) -> Upload:
    """See `uploads.begin`. Raises TooLarge, QuotaExceeded, StorageAway."""
    with sessions.begin() as session:
        row = uploads.begin(session, project_id, asked, limits)
    if row.state != "open" or row.store_token is not None:
        return row
    try:
        token = objects.parts.begin(row.object_key)
    except BaseException:
        abort(sessions, objects, project_id, row.id)
        raise
    with sessions.begin() as session:
        row = uploads.opened(session, row.id, token)
    if row.store_token != token:
        objects.parts.drop(row.object_key, token)
    return row


def take_part(
    sessions: Sessions, objects: ObjectStore, row: Upload, number: int, chunks: Iterable[bytes], sha256: str | None
) -> Part:
    """Write a part of an upload that `uploads.for_parts` gave. Raises PartRefused, WrongState."""
    size = row.size_of(number)
    try:
        return objects.parts.put(row.object_key, row.store_token or "", number, chunks, size=size, sha256=sha256)
    except TooLarge as error:
        raise PartRefused(f"part {number} has {size} bytes, and more arrived") from error
    except ObjectDamaged as error:
        raise PartRefused(f"part {number} is not as promised: {error.message.partition(': ')[2]}") from error
    except ObjectMissing as error:
        with sessions.begin() as session:
            found = uploads.get(session, row.project_id, row.id)
        # Completed or aborted while it was on its way; or somebody removed the parts, and no more will ever fit.
        if found.state == "open":
            abort(sessions, objects, row.project_id, row.id)
            message = f"the parts of upload '{row.id}' are gone from the object store"
            raise WrongState(message, state="aborted", hint="Begin it again.") from error
        raise uploads.wrong_state(found) from error


def parts_of(objects: ObjectStore, row: Upload) -> Sequence[Part]:
    """The parts that are there; none of an upload that is over."""
    if row.store_token is None or row.state not in {"open", "joining"}:
        return ()
    try:
        return objects.parts.list(row.object_key, row.store_token)
    except ObjectMissing:
        return ()


def complete(
    sessions: Sessions,
    objects: ObjectStore,
    project_id: str,
    upload_id: str,
    require_archive: Callable[[bytes], None],
) -> Upload:
    """Join the parts, verify the whole, make the data set; repeating is fine.

    require_archive: raises for the first bytes of what is no archive. Raises UploadIncomplete, after which the upload
    goes on; ContentMismatch and what require_archive raises, after which nothing of it is left; WrongState.
    """
    with sessions.begin() as session:
        row = uploads.start_joining(session, project_id, upload_id)
    if row.state == "completed":
        return row
    try:
        stored = _joined(objects, row)
        head = b"".join(objects.get(row.object_key, end=HEAD))
    except ObjectDamaged as error:
        _fail(sessions, objects, row)
        detail = error.message.partition(": ")[2]
        hint = "Did it change while it was sent? Nothing was kept: begin it again."
        raise ContentMismatch(f"upload '{row.id}' is not what was promised: {detail}", hint=hint) from error
    except ObjectMissing as error:
        _reopen(sessions, row)
        hint = "A part was sent anew meanwhile: complete it again."
        raise WrongState(f"upload '{row.id}' changed while it was joined", state="open", hint=hint) from error
    except BaseException:
        _reopen(sessions, row)
        raise
    try:
        require_archive(head)
    except BaseException:
        _fail(sessions, objects, row)
        raise
    with sessions.begin() as session:
        return uploads.finish(session, row, stored)


def abort(sessions: Sessions, objects: ObjectStore, project_id: str, upload_id: str) -> None:
    """End an upload and let its parts go; repeating is fine. Raises NotFound, WrongState."""
    with sessions.begin() as session:
        row = uploads.abort(session, project_id, upload_id)
    _drop(sessions, objects, row)


def tidy(sessions: Sessions, objects: ObjectStore) -> None:
    """The steward's part: end what was abandoned, let parts go, forget what ended long ago."""
    with sessions.begin() as session:
        uploads.expire(session)
    with sessions.begin() as session:
        left = uploads.left_behind(session)
    for row in left:
        _drop(sessions, objects, row)
    with sessions.begin() as session:
        uploads.forget(session)


def _joined(objects: ObjectStore, row: Upload) -> Stored:
    token = row.store_token or ""
    try:
        parts = objects.parts.list(row.object_key, token)
    except ObjectMissing:
        # Joined by a process that died before it could say so.
        try:
            return read_back(objects, row.object_key, size=row.size, sha256=row.sha256)
        except ObjectMissing as error:
            raise ObjectDamaged(f"{row.object_key}: its parts are gone from the object store") from error
    _require_all(row, parts)
    return objects.parts.join(row.object_key, token, parts, size=row.size, sha256=row.sha256)


def _require_all(row: Upload, parts: Sequence[Part]) -> None:
    there = {part.number: part.size for part in parts}
    missing = [number for number in range(1, row.parts + 1) if number not in there]
    if missing:
        named = ", ".join(map(str, missing[:_NAMED])) + (", ..." if len(missing) > _NAMED else "")
        message = f"{len(missing)} of the {row.parts} parts of upload '{row.id}' are missing: {named}"
        raise UploadIncomplete(message, hint="Send them, then complete it again.")
    for number, size in there.items():
        if not 1 <= number <= row.parts or size != row.size_of(number):
            expected = row.size_of(number) if number <= row.parts else 0
            message = f"part {number} of upload '{row.id}' has {size} bytes, not {expected}"
            raise UploadIncomplete(message, hint="Send it again.")


def _reopen(sessions: Sessions, row: Upload) -> None:
    with sessions.begin() as session:
        uploads.reopen(session, row)


def _fail(sessions: Sessions, objects: ObjectStore, row: Upload) -> None:
    with sessions.begin() as session:
        try:
            uploads.fail(session, row)
        except (LeaseLost, NotFound):
            return  # Another goes on with it, or it is gone.
    objects.delete(row.object_key)
    _drop(sessions, objects, row)


def _drop(sessions: Sessions, objects: ObjectStore, row: Upload) -> None:
    if row.store_token is not None:
        objects.parts.drop(row.object_key, row.store_token)
        with sessions.begin() as session:
            uploads.dropped(session, row.id)
