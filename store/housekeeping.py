"""Rows that have served their time."""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from store.tables import IdempotencyKey, LoginLink


def expire_idempotency_keys(session: Session) -> None:
    """Drop idempotency keys past their time."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at <= func.clock_timestamp()))


def expire_login_links(session: Session, keep: timedelta = timedelta(days=1)) -> None:
    """Drop login links some time after they became useless."""
    session.execute(delete(LoginLink).where(LoginLink.expires_at <= func.clock_timestamp() - keep))
