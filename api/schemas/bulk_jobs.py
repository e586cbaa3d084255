"""Many jobs in one request."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.problems import ProblemDetails
from api.schemas.jobs import JobSummary
from store.queues import Priority

MOST = 100


class BulkItem(BaseModel):
    """One job to be made. spec: as `POST /v1/jobs` takes it; the other fields are that call's header and query."""

    model_config = ConfigDict(extra="forbid")

    spec: dict[str, Any] = Field(description="A job spec (schema JobSpec).")
    priority: Priority = "normal"
    device_class: str | None = None
    idempotency_key: str | None = Field(None, min_length=1, max_length=200)


class BulkIn(BaseModel):
    """The jobs, at most 100."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[BulkItem] = Field(min_length=1, max_length=MOST)


class BulkResult(BaseModel):
    """What became of one: its job (status 201) or the problem that kept it from being made."""

    index: int
    status: int
    replayed: bool = False
    job: JobSummary | None = None
    problem: ProblemDetails | None = None


class BulkOut(BaseModel):
    """One result an item, in their order."""

    created: int
    refused: int
    data: list[BulkResult]
