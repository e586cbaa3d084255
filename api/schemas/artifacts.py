"""Artifacts as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from store.tables import Artifact, Checkpoint


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


class CheckpointOut(BaseModel):
    """A state that the job can go on from. final: the result of a finished stage; damaged: found unreadable."""

    id: int
    attempt: int
    stage: str
    seed: int
    step: int
    final: bool
    size: int
    sha256: str
    damaged: bool
    created_at: datetime

    @classmethod
    def of(cls, row: Checkpoint) -> "CheckpointOut":
        """From its row."""
        names = cls.model_fields.keys() - {"damaged"}
        return cls(**{name: getattr(row, name) for name in names}, damaged=row.damaged_at is not None)


class CheckpointsOut(BaseModel):
    """A job's checkpoints, newest first: all final ones, and the newest two others of each stage."""

    data: list[CheckpointOut]


class ReportOut(BaseModel):
    """What a job came to. result: null until it is done; each file: null until it is written.

    page: the report for people. evaluation: all measurements as JSON. card: the model card. bundle: what it takes to
    run the job again.
    """

    result: dict[str, Any] | None
    page: ArtifactOut | None
    evaluation: ArtifactOut | None
    card: ArtifactOut | None
    bundle: ArtifactOut | None
