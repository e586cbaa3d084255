"""Data sets as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from store.states import DatasetState
from store.tables import Dataset


class DatasetOut(BaseModel):
    """A data set. It can be used when its state is `ready`; `rejected` says in `error` and `report` what is wrong."""

    id: str
    name: str
    state: DatasetState
    size: int | None
    sha256: str | None
    report: dict[str, Any] | None
    error: dict[str, Any] | None
    created_at: datetime
    checked_at: datetime | None

    @classmethod
    def of(cls, row: Dataset) -> "DatasetOut":
        """From its row."""
        return cls.model_validate(row, from_attributes=True)
