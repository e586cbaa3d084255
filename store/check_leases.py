"""The lease of a check of something uploaded, or of an export: `check_token` until `check_expires_at`."""

import secrets
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from store import garbage
from store.errors import LeaseLost
from store.tables import Dataset, Export, Model
from store.tables.base import Json

MAX_CHECKS = 3

Checked = TypeVar("Checked", Dataset, Model, Export)


def waits(table: type[Dataset] | type[Model] | type[Export]) -> ColumnElement[bool]:
    """What of a table waits to be worked on, or is worked on."""
    waiting = table.state == table.WAITS
    return waiting if issubclass(table, Export) else waiting & table.deleted_at.is_(None)


def claim(
    session: Session,
    table: type[Checked],
    subject_id: str,
    lease: timedelta,
    re_upload: str,
    code: str = "check_failed",
) -> Checked | None:
    """Take a check for one lease. None: it is done, taken or gone, which is no error.

    re_upload, code: the hint and the code for one that was lost too often, which is refused.
    """
    row = session.scalar(
        update(table)
        .where(
            table.id == subject_id,
            waits(table),
            (table.check_expires_at.is_(None)) | (table.check_expires_at <= func.clock_timestamp()),
        )
        .values(
            check_token=secrets.token_hex(16),
            check_expires_at=func.clock_timestamp() + lease,
            checks=table.checks + 1,
        )
        .returning(table)
        .execution_options(populate_existing=True)
    )
    if row is not None and row.checks > MAX_CHECKS:
        message = f"Its worker was lost {MAX_CHECKS} times."
        _end(session, row, row.REFUSED, None, {"code": code, "message": message, "hint": re_upload})
        session.flush()
        return None
    return row


def renew(session: Session, table: type[Checked], subject_id: str, token: str, lease: timedelta) -> bool:
    """Prolong the lease of a check. False: it is lost, stop."""
    return (
        session.scalar(
            update(table)
            .where(
                table.id == subject_id,
                table.check_token == token,
                table.check_expires_at > func.clock_timestamp(),
            )
            .values(check_expires_at=func.clock_timestamp() + lease)
            .returning(table.id)
        )
        is not None
    )


def excuse(session: Session, table: type[Checked], subject_id: str, token: str) -> None:
    """Let a check that the object store kept from beginning not count; it is tried again when its lease has ended."""
    session.execute(
        update(table)
        .where(table.id == subject_id, table.check_token == token, table.checks > 0)
        .values(checks=table.checks - 1)
    )


def finish(
    session: Session, table: type[Checked], subject_id: str, token: str, report: Json | None, error: Json | None
) -> Checked:
    """Write the outcome of a check: ready, or refused when there is an error. Raises LeaseLost."""
    row = held(session, table, subject_id, token)
    _end(session, row, row.REFUSED if error else "ready", report, error)
    session.flush()
    return row


def held(session: Session, table: type[Checked], subject_id: str, token: str) -> Checked:
    """The row under this lease, locked until the end of the transaction. Raises LeaseLost."""
    row = session.scalar(
        select(table)
        .where(table.id == subject_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    now = session.scalar(select(func.clock_timestamp()))
    if (
        row is None
        or row.check_token != token
        or row.check_expires_at is None
        or now is None
        or row.check_expires_at <= now
    ):
        raise LeaseLost(f"the check of '{subject_id}' is no longer ours")
    return row


def _end(session: Session, row: Dataset | Model | Export, state: str, report: Json | None, error: Json | None) -> None:
    if state == "rejected" and isinstance(row, Dataset):
        garbage.add(session, [row.object_key])  # Nobody can use it; what is wrong with it stands in the row.
    row.state, row.report, row.error = state, report, error
    row.checked_at = func.clock_timestamp()
    row.check_token = row.check_expires_at = None
