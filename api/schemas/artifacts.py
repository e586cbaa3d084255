"""Artifacts as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from store.tables import Artifact


class ArtifactOut(BaseModel):
    """A file of a job. `facts`: what was measured on that very file. Its bytes are at `content`."""

    id: str
    job_id: str
    name: str
    format: str
    media_type: str
    size: int
    sha256: str
    facts: dict[str, Any]
    content: str
    created_at: datetime

    @classmethod
    def of(cls, row: Artifact) -> "ArtifactOut":
        """From its row."""
        names = cls.model_fields.keys() - {"content"}
        return cls(**{name: getattr(row, name) for name in names}, content=f"/v1/artifacts/{row.id}/content")


class ArtifactsOut(BaseModel):
    """All files of a job, by name."""

    data: list[ArtifactOut]
