"""Projects, their limits and what they use, as the API shows them."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.exact import Number, Whole
from store.limits import Limits
from store.tables import Project
from store.usage import Usage


class LimitsIn(BaseModel):
    """A project's own limits. null: what the installation has for all projects."""

    model_config = ConfigDict(extra="forbid")

    jobs: Whole | None = Field(None, ge=0, le=2**53, description="That are not over.")
    bytes: Whole | None = Field(None, ge=0, le=2**53, description="Of data sets, models and uploads.")
    device_hours: Number | None = Field(None, ge=0, le=1e9, description="In a calendar month, by UTC.")


class ProjectIn(BaseModel):
    """A project to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    limits: LimitsIn = LimitsIn()


class ProjectChanges(BaseModel):
    """What is to be different; what is left out stays. Limits are the operator's to change."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, max_length=100)
    limits: LimitsIn | None = None


class LimitsOut(BaseModel):
    """Limits that hold; null is none."""

    jobs: int | None
    bytes: int | None
    device_hours: float | None

    @classmethod
    def of(cls, limits: Limits) -> "LimitsOut":
        """From the store's."""
        return cls(jobs=limits.jobs, bytes=limits.bytes, device_hours=limits.device_hours)


class ProjectOut(BaseModel):
    """A project. limits: those that hold for it, its own or the installation's."""

    id: str
    name: str
    created_at: datetime
    limits: LimitsOut

    @classmethod
    def of(cls, row: Project, limits: Limits) -> "ProjectOut":
        """From its row."""
        return cls(id=row.id, name=row.name, created_at=row.created_at, limits=LimitsOut.of(limits))


class ProjectsOut(BaseModel):
    """Projects, by name."""

    data: list[ProjectOut]


class Used(BaseModel):
    """How much is used of how much; limit null: as much as there is."""

    used: float
    limit: float | None


class Day(BaseModel):
    """A day, by UTC."""

    day: date
    device_hours: float


class UsageOut(BaseModel):
    """What a project uses now. Attempts that run count up to this moment."""

    project: str
    jobs: Used = Field(description="That are not over.")
    jobs_by_state: dict[str, int]
    bytes: Used = Field(description="Of data sets, models and uploads.")
    bytes_by_kind: dict[str, int]
    result_bytes: int = Field(description="Checkpoints and artifacts; no limit is on these.")
    device_hours: Used = Field(description="Of this month.")
    month_begins: datetime
    month_ends: datetime
    days: list[Day] = Field(description="The last thirty, today last.")

    @classmethod
    def of(cls, project_id: str, usage: Usage) -> "UsageOut":
        """From the store's."""
        return cls(
            project=project_id,
            jobs=Used(used=usage.jobs, limit=usage.limits.jobs),
            jobs_by_state=usage.by_state,
            bytes=Used(used=sum(usage.bytes.values()), limit=usage.limits.bytes),
            bytes_by_kind=usage.bytes,
            result_bytes=usage.results,
            device_hours=Used(used=usage.device_hours, limit=usage.limits.device_hours),
            month_begins=usage.since,
            month_ends=usage.until,
            days=[Day(day=day, device_hours=hours) for day, hours in usage.by_day.items()],
        )
