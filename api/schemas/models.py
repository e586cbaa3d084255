"""Models as the API shows them, and what it is told of new ones."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from store.states import ModelState
from store.tables import Model


class FromJob(BaseModel):
    """A model that a job of this project trained."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"from_job": "job_...", "role": "teacher"}]}
    )

    from_job: str = Field(min_length=1, max_length=100, description="The job's id.")
    role: Literal["teacher", "student"] = Field(description="Its teacher, or the student that it delivered.")
    name: str | None = Field(None, min_length=1, max_length=200, description="Default: the job's name and the role.")


class ModelOut(BaseModel):
    """A model. A job can begin with it when its state is `ready`; `rejected` says in `error` and `report` why not.

    classes: in order of the outputs. image_size: (width, height) in pixels; anchor_shapes: likewise at that size, none
    where the scales are the family's own. job_id, role: where it was trained, if here. Its file is at `content`.
    """

    id: str
    name: str
    state: ModelState
    detector: str
    classes: list[str]
    image_size: tuple[int, int]
    anchor_shapes: list[tuple[float, float]]
    job_id: str | None
    role: Literal["teacher", "student"] | None
    size: int | None
    sha256: str | None
    report: dict[str, Any] | None
    error: dict[str, Any] | None
    content: str
    created_at: datetime
    checked_at: datetime | None

    @classmethod
    def of(cls, row: Model) -> "ModelOut":
        """From its row."""
        names = cls.model_fields.keys() - {"content"}
        facts = {name: getattr(row, name) for name in names}
        return cls.model_validate({**facts, "content": f"/v1/models/{row.id}/content"})
