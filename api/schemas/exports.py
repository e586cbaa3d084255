"""Data sets in another format, as the API shows them."""

from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel

from store.states import ExportFormat, ExportState
from store.tables import Export


class ExportIn(BaseModel, extra="forbid"):
    """What to write the data set as."""

    format: ExportFormat


class LossOut(BaseModel):
    """Something the format cannot say, and how many there were of it."""

    what: str
    count: int


class ExportReport(BaseModel):
    """What was written, over distinct images, and what was lost on the way.

    splits: images of each. renamed: by its id in the source, the new name of each image that could not keep its own,
    up to 200 of them; renamed_count: all.
    """

    source_format: str
    images: int
    boxes: int
    splits: dict[str, int]
    classes: list[str]
    losses: list[LossOut]
    renamed: dict[str, str]
    renamed_count: int


class ExportOut(BaseModel):
    """An export. Its archive (zip) is at `content` once its state is `ready`, until `expires_at`."""

    id: str
    dataset_id: str
    format: ExportFormat
    state: ExportState
    size: int | None
    sha256: str | None
    report: ExportReport | None
    error: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    content: str | None

    @classmethod
    def of(cls, row: Export) -> "ExportOut":
        """From its row."""
        running = row.state == "queued" and row.check_token is not None
        return cls(
            id=row.id,
            dataset_id=row.dataset_id,
            format=cast("ExportFormat", row.format),
            state="running" if running else cast("ExportState", row.state),
            size=row.size,
            sha256=row.sha256,
            report=None if row.report is None else ExportReport.model_validate(row.report),
            error=row.error,
            created_at=row.created_at,
            finished_at=row.checked_at,
            expires_at=row.expires_at,
            content=f"/v1/datasets/{row.dataset_id}/exports/{row.id}/content" if row.state == "ready" else None,
        )


class ExportsOut(BaseModel):
    """A data set's exports, newest first: of each format one, and those that failed."""

    data: list[ExportOut]
