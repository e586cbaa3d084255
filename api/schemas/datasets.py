"""Data sets as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from store.states import DatasetState
from store.tables import Dataset, Thumbnail


class CheckProgress(BaseModel):
    """How many images the check has looked at."""

    done: int
    total: int


class BoxOut(BaseModel):
    """A box of a thumbnail: xyxy in its pixels."""

    label: str
    box: tuple[float, float, float, float]


class ThumbnailOut(BaseModel):
    """A small picture (WebP) of an image, at `content`, and its boxes."""

    number: int
    image: str
    split: str
    width: int
    height: int
    boxes: list[BoxOut]
    content: str

    @classmethod
    def of(cls, row: Thumbnail) -> "ThumbnailOut":
        """From its row."""
        names = cls.model_fields.keys() - {"content"}
        content = f"/v1/datasets/{row.dataset_id}/thumbnails/{row.number}"
        return cls(**{name: getattr(row, name) for name in names}, content=content)


class ThumbnailsOut(BaseModel):
    """Pictures of a data set, of every split alike; none before its check, nor of a rejected one."""

    data: list[ThumbnailOut]


class DatasetOut(BaseModel):
    """A data set. It can be used when its state is `ready`; `rejected` says in `error` and `report` what is wrong."""

    id: str
    name: str
    state: DatasetState
    size: int | None
    sha256: str | None
    progress: CheckProgress | None
    report: dict[str, Any] | None
    error: dict[str, Any] | None
    created_at: datetime
    checked_at: datetime | None

    @classmethod
    def of(cls, row: Dataset) -> "DatasetOut":
        """From its row."""
        return cls.model_validate(row, from_attributes=True)


class RevisionsOut(BaseModel):
    """The data sets of one name, newest first. Each is one upload, and never changes."""

    data: list[DatasetOut]
