"""Pages of a list by an opaque cursor on (created_at, id), newest first. Page ten costs what page one does."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, select, tuple_, union_all
from sqlalchemy.orm import Session

from store.errors import BadCursor

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, and the cursor of the next page (None at the end)."""

    rows: Sequence[Row]
    next_cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self.next_cursor is not None


def page(session: Session, query: Select[Row], table: Any, *, cursor: str | None, limit: int) -> Page[Row]:
    """Run `query` for one page of `table`'s rows. Raises BadCursor."""
    return _cut(session, _newest(_after(query, table, cursor), table, limit), limit)


def merged(
    session: Session, queries: Sequence[Select[Any]], table: Any, *, cursor: str | None, limit: int
) -> Page[Any]:
    """One page out of several lists of `table`'s rows that have none in common; each is read no further than the page.

    For a filter on several values, where an index holds the rows of each value in order. Raises BadCursor.
    """
    heads = union_all(
        *(
            _newest(_after(query.with_only_columns(table.id, table.created_at), table, cursor), table, limit)
            for query in queries
        )
    ).subquery()
    ids = select(heads.c.id).order_by(heads.c.created_at.desc(), heads.c.id.desc()).limit(limit + 1)
    return _cut(session, _newest(select(table).where(table.id.in_(ids)), table, limit), limit)


def _after(query: Select[Any], table: Any, cursor: str | None) -> Select[Any]:
    if cursor is None:
        return query
    return query.where(tuple_(table.created_at, table.id) < tuple_(*decode(cursor)))


def _newest(query: Select[Any], table: Any, limit: int) -> Select[Any]:
    """As many as the page takes, and one more that tells whether there is another page."""
    return query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)


def _cut(session: Session, query: Select[Any], limit: int) -> Page[Any]:
    rows: Sequence[Any] = session.scalars(query).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, encode(rows[-1].created_at, rows[-1].id) if more else None)


def encode(time: datetime, identity: str) -> str:
    """The cursor that stands for the row of this time and id."""
    return base64.urlsafe_b64encode(json.dumps([time.isoformat(), identity]).encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[datetime, str]:
    """The time and id a cursor stands for. Raises BadCursor."""
    try:
        time, identity = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(time)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadCursor("this cursor was not made here", hint="Start again without a cursor.") from error
    if not isinstance(identity, str) or moment.tzinfo is None:
        raise BadCursor("this cursor was not made here", hint="Start again without a cursor.")
    return moment, identity
