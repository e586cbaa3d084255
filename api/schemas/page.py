"""A page of a list."""

from typing import Generic, TypeVar

from pydantic import BaseModel

Item = TypeVar("Item")


class PageOut(BaseModel, Generic[Item]):
    """Some items, newest first. Pass `next_cursor` as `cursor` for the next page; null at the end."""

    data: list[Item]
    has_more: bool
    next_cursor: str | None
