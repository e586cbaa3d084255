"""How browsers come in: one-time links, and the sessions they open, which end by time, by hand or with their key."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from store import audit, ids
from store.database import now
from store.errors import NotFound
from store.keys import keyed_digest, valid
from store.principal import Principal
from store.tables import ApiKey, BrowserSession, LoginLink


def create_link(session: Session, maker: Principal, secret: SecretStr, lasting: timedelta) -> str:
    """Make the token of a link that logs in once, with what its maker may do; with the maker's key, it ends."""
    token = secrets.token_urlsafe(32)
    session.add(
        LoginLink(
            digest=keyed_digest(token, secret),
            project_id=maker.project_id,
            scopes=sorted(maker.scopes),
            user=maker.user,
            key_id=maker.key_id,
            expires_at=func.clock_timestamp() + lasting,
            used=False,
        )
    )
    session.flush()
    audit.record(session, maker.project_id, "login_link.create")
    return token


def redeem_link(session: Session, token: str, secret: SecretStr, lasting: timedelta) -> BrowserSession | None:
    """Use a link's token up and open a session; None when it is unknown, expired or used, or its key does not work.

    Of two at once, one wins.
    """
    link = session.scalar(
        update(LoginLink)
        .where(
            LoginLink.digest == keyed_digest(token, secret),
            LoginLink.used.is_(False),
            LoginLink.expires_at > func.clock_timestamp(),
        )
        .values(used=True)
        .returning(LoginLink)
    )
    if link is None:
        return None
    if link.key_id is not None and session.scalar(select(ApiKey.id).where(ApiKey.id == link.key_id, *valid())) is None:
        return None
    guest = Principal(link.project_id, frozenset(link.scopes), link.key_id, user=link.user)
    return open_session(session, guest, lasting)


def open_session(session: Session, guest: Principal, lasting: timedelta) -> BrowserSession:
    """Let a browser in."""
    caller = audit.CALLER.get() or audit.Caller()
    row = BrowserSession(
        id=ids.new("ses"),
        project_id=guest.project_id,
        key_id=guest.key_id,
        user=guest.user,
        scopes=sorted(guest.scopes),
        address=caller.address,
        expires_at=now(session) + lasting,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    caller.principal = _principal(row)
    audit.record(session, guest.project_id, "session.open", row.id)
    return row


def visitor(session: Session, session_id: str) -> Principal | None:
    """Who holds this session; None when it is over, or when its key is."""
    row = session.scalar(
        select(BrowserSession)
        .outerjoin(ApiKey, ApiKey.id == BrowserSession.key_id)
        .where(BrowserSession.id == session_id, *_open())
    )
    return None if row is None else _principal(row)


def still_in(session: Session, guest: Principal) -> bool:
    """Whether the browser session or the key, with which an answer that takes long was begun, works still."""
    if guest.session_id is not None:
        return visitor(session, guest.session_id) is not None
    key = select(ApiKey.id).where(ApiKey.id == guest.key_id, *valid())
    return guest.key_id is None or session.scalar(key) is not None


def list_open(session: Session, project_id: str) -> Sequence[BrowserSession]:
    """The browsers that are in, newest first."""
    query = select(BrowserSession).outerjoin(ApiKey, ApiKey.id == BrowserSession.key_id)
    query = query.where(BrowserSession.project_id == project_id, *_open())
    return session.scalars(query.order_by(BrowserSession.created_at.desc(), BrowserSession.id)).all()


def end_session(session: Session, project_id: str, session_id: str) -> None:
    """Log a browser out, wherever it is. Raises NotFound."""
    ended = session.scalar(
        update(BrowserSession)
        .where(
            BrowserSession.id == session_id,
            BrowserSession.project_id == project_id,
            BrowserSession.ended_at.is_(None),
        )
        .values(ended_at=func.clock_timestamp())
        .returning(BrowserSession.id)
    )
    if ended is None:
        raise NotFound(f"there is no session '{session_id}'")
    audit.record(session, project_id, "session.end", session_id)


def forget(session: Session, keep: timedelta = timedelta(days=1)) -> None:
    """Drop links and sessions some time after they became useless."""
    oldest = func.clock_timestamp() - keep
    session.execute(delete(LoginLink).where(LoginLink.expires_at <= oldest))
    session.execute(delete(BrowserSession).where(BrowserSession.expires_at <= oldest))


def _open() -> tuple[ColumnElement[bool], ...]:
    of_key = or_(BrowserSession.key_id.is_(None), and_(*valid()))
    return BrowserSession.ended_at.is_(None), BrowserSession.expires_at > func.clock_timestamp(), of_key


def _principal(row: BrowserSession) -> Principal:
    return Principal(row.project_id, frozenset(row.scopes), row.key_id, row.id, row.user)
