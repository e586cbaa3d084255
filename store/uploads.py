"""Uploads in parts: the rows. What the object store has to do with them: `store.receiving`."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from store import audit, datasets, garbage, ids, quota
from store.database import now
from store.errors import LeaseLost, NotFound, PartRefused, TooLarge, WrongState
from store.objects import Stored
from store.objects.parts import MOST_PARTS
from store.tables import Upload

MIB = 2**20
# Reading what arrived, at the pace of a slow disk, must end within the lease.
JOINING_SECONDS = 60
JOINING_BYTES_A_SECOND = 10 * MIB
REMEMBERED = timedelta(days=7)


@dataclass(frozen=True)
class Asked:
    """What a client promises to send. sha256: of the whole, where it is known beforehand."""

    name: str
    size: int
    media_type: str
    sha256: str | None = None


@dataclass(frozen=True)
class Limits:
    """Bytes of an upload, of its usual part and of all that a project keeps (None: any); how long it may take."""

    upload_bytes: int
    part_bytes: int
    project_bytes: int | None
    expiry: timedelta


def begin(session: Session, project_id: str, asked: Asked, limits: Limits) -> Upload:
    """The upload of this content: the open one of the same promise, one that is complete because the project has a
    data set of this sha256, or a new one. Raises TooLarge, QuotaExceeded.
    """
    if asked.size > limits.upload_bytes:
        hint = "Send less, or have FGFI_MAX_UPLOAD_BYTES raised."
        raise TooLarge(f"{asked.size} bytes are more than the {limits.upload_bytes} of an upload", hint=hint)
    quota.in_turn(session, project_id)
    same = None if asked.sha256 is None else datasets.same(session, project_id, asked.sha256)
    if same is None:
        if asked.sha256 is not None and (row := _open_alike(session, project_id, asked)) is not None:
            return row
        quota.require(session, project_id, asked.size, limits.project_bytes)
    identity = ids.new("up")
    row = Upload(
        id=identity,
        project_id=project_id,
        name=asked.name,
        media_type=asked.media_type,
        size=asked.size,
        sha256=asked.sha256,
        part_size=part_size(asked.size, limits.part_bytes),
        object_key=f"uploads/{identity}/archive",
        expires_at=now(session) + limits.expiry,
    )
    if same is not None:
        _complete(row, same.id, deduplicated=True)
    session.add(row)
    session.flush()
    session.refresh(row)
    audit.record(session, project_id, "upload.create", row.id, name=row.name, size=row.size)
    return row


def part_size(size: int, usual: int) -> int:
    """Bytes of a part with which an upload stays below S3's number of parts: the usual, or whole MiB more."""
    return usual if size <= usual * MOST_PARTS else -(-size // (MOST_PARTS * MIB)) * MIB


def opened(session: Session, upload_id: str, token: str) -> Upload:
    """Note the object store's token of a new upload; of two that begin it, the first's stays. Raises NotFound."""
    row = _locked(session, Upload.id == upload_id)
    if row.state == "open" and row.store_token is None:
        row.store_token = token
        session.flush()
    return row


def get(session: Session, project_id: str, upload_id: str) -> Upload:
    """One upload. Raises NotFound."""
    row = session.scalar(select(Upload).where(Upload.id == upload_id, Upload.project_id == project_id))
    if row is None:
        raise NotFound(f"there is no upload '{upload_id}'")
    return row


def for_parts(session: Session, project_id: str, upload_id: str, numbers: Sequence[int]) -> Upload:
    """An open upload that has parts of these numbers. Raises NotFound, WrongState, PartRefused."""
    row = get(session, project_id, upload_id)
    if row.state != "open" or row.store_token is None:
        raise wrong_state(row)
    if row.expires_at <= now(session):
        raise WrongState(f"upload '{row.id}' has expired", state="expired", hint="Begin it again.")
    for number in numbers:
        if not 1 <= number <= row.parts:
            raise PartRefused(f"upload '{row.id}' has parts 1 to {row.parts}, not {number}")
    return row


def start_joining(session: Session, project_id: str, upload_id: str) -> Upload:
    """Take an upload for its completion; one that is complete is returned as it is. Raises NotFound, WrongState."""
    row = _locked(session, Upload.id == upload_id, Upload.project_id == project_id)
    if row.state == "completed":
        return row
    moment = now(session)
    lapsed = row.state == "joining" and row.joining_expires_at is not None and row.joining_expires_at <= moment
    if (row.state != "open" and not lapsed) or row.store_token is None:
        raise wrong_state(row)
    if row.expires_at <= moment:
        raise WrongState(f"upload '{row.id}' has expired", state="expired", hint="Begin it again.")
    row.state, row.joining_token = "joining", secrets.token_hex(16)
    row.joining_expires_at = moment + timedelta(seconds=JOINING_SECONDS + row.size / JOINING_BYTES_A_SECOND)
    session.flush()
    return row


def reopen(session: Session, joined: Upload) -> None:
    """Give a joining up that could not be done now."""
    row = _held(session, joined)
    row.state, row.joining_token, row.joining_expires_at = "open", None, None
    session.flush()


def finish(session: Session, joined: Upload, stored: Stored) -> Upload:
    """Make the data set of what was joined and queue its check; or find the one of the same content.

    Raises LeaseLost.
    """
    quota.in_turn(session, joined.project_id)
    row = _held(session, joined)
    same = datasets.same(session, row.project_id, stored.sha256)
    if same is not None:
        garbage.add(session, [row.object_key])
        _complete(row, same.id, deduplicated=True)
    else:
        made = datasets.begin(session, row.project_id, row.name, object_key=row.object_key)
        datasets.uploaded(session, row.project_id, made.id, size=stored.size, sha256=stored.sha256)
        _complete(row, made.id, deduplicated=False)
    row.store_token = None  # Joined parts are gone.
    session.flush()
    audit.record(session, row.project_id, "upload.complete", row.id, dataset=row.dataset_id)
    return row


def fail(session: Session, joined: Upload) -> None:
    """End an upload whose content is not what was promised. Raises LeaseLost."""
    _end(session, _held(session, joined), "aborted")


def abort(session: Session, project_id: str, upload_id: str) -> Upload:
    """End an upload; repeating is fine. Raises NotFound, WrongState."""
    row = _locked(session, Upload.id == upload_id, Upload.project_id == project_id)
    if row.state == "open":
        _end(session, row, "aborted")
        audit.record(session, project_id, "upload.abort", row.id)
    elif row.state not in {"aborted", "expired"}:
        raise wrong_state(row)
    return row


def expire(session: Session) -> None:
    """End the uploads whose time is over and that nobody is joining."""
    moment = now(session)
    over = select(Upload).where(
        Upload.expires_at <= moment,
        or_(Upload.state == "open", (Upload.state == "joining") & (Upload.joining_expires_at <= moment)),
    )
    for row in session.scalars(over.with_for_update(skip_locked=True)).all():
        _end(session, row, "expired")


def left_behind(session: Session, limit: int = 100) -> Sequence[Upload]:
    """Uploads that have ended and may have parts in the object store still."""
    query = select(Upload).where(Upload.store_token.is_not(None), Upload.state.in_(("aborted", "expired")))
    return session.scalars(query.limit(limit)).all()


def dropped(session: Session, upload_id: str) -> None:
    """Note that the parts of an upload that has ended are gone."""
    row = session.get(Upload, upload_id)
    if row is not None:
        row.store_token = None
        session.flush()


def forget(session: Session, older_than: timedelta = REMEMBERED) -> None:
    """Drop the rows of uploads that ended long ago."""
    oldest = func.clock_timestamp() - older_than
    session.execute(delete(Upload).where(Upload.ended_at <= oldest, Upload.store_token.is_(None)))


def wrong_state(row: Upload) -> WrongState:
    """What the state of an upload does not allow."""
    if row.state == "joining":
        hint = "Its parts are being joined: look again in a while."
    elif row.state == "open":
        hint = "It was never begun in the object store: begin it again."
    else:
        hint = "Begin a new one."
    return WrongState(f"upload '{row.id}' is {row.state}", state=row.state, hint=hint)


def _end(session: Session, row: Upload, state: str) -> None:
    row.state, row.joining_token, row.joining_expires_at = state, None, None
    row.ended_at = func.clock_timestamp()
    garbage.add(session, [row.object_key])
    session.flush()


def _complete(row: Upload, dataset_id: str, *, deduplicated: bool) -> None:
    row.state, row.dataset_id, row.deduplicated = "completed", dataset_id, deduplicated
    row.joining_token = row.joining_expires_at = None
    row.ended_at = func.clock_timestamp()


def _open_alike(session: Session, project_id: str, asked: Asked) -> Upload | None:
    query = select(Upload).where(
        Upload.project_id == project_id,
        Upload.state == "open",
        Upload.sha256 == asked.sha256,
        Upload.name == asked.name,
        Upload.size == asked.size,
        Upload.media_type == asked.media_type,
        Upload.expires_at > func.clock_timestamp(),
    )
    return session.scalars(query.order_by(Upload.created_at.desc()).limit(1)).first()


def _held(session: Session, joined: Upload) -> Upload:
    row = _locked(session, Upload.id == joined.id)
    if row.state != "joining" or row.joining_token != joined.joining_token:
        raise LeaseLost(f"the joining of upload '{row.id}' is no longer ours")
    return row


def _locked(session: Session, *where: ColumnElement[bool]) -> Upload:
    query = select(Upload).where(*where).with_for_update(key_share=True)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("there is no such upload")
    return row
