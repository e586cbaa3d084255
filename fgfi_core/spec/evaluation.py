"""The spec of a job that trains nothing: one detector, measured on one split of a data set. Imports no torch."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from fgfi_core.spec.base import Model
from fgfi_core.spec.schedule import Resources

Rule = Literal["voc07", "voc", "coco", "kitti"]


class Measured(Model):
    """Which data set, and which of its splits is measured on."""

    id: str | None = Field(None, description="Data set in the service.")
    split: str = Field("test", min_length=1, description="Split that measures.")


class EvaluationSpec(Model):
    """A registered model on any data set whose classes it knows."""

    kind: Literal["evaluation"] = "evaluation"
    name: str = Field(min_length=1, max_length=200, description="What people will call it.")
    model: str = Field(min_length=1, max_length=100, description="Id of a registered model.")
    dataset: Measured = Field(description="Which data set, and which of its splits is measured on.")
    evaluation: tuple[Rule, ...] = Field(
        ("voc07", "voc"), min_length=1, description="Rules by which accuracy is measured; Pascal VOC's two always are."
    )
    batch_size: Annotated[int, Field(ge=1, le=4096)] = Field(
        8, description="Images that go through at once.", json_schema_extra={"unit": "images"}
    )
    resize: Literal["auto", "stretch", "fit"] = Field(
        "auto",
        description="How images come to the model's input; auto: as in its training, where its file says it; else "
        "as its family is trained.",
    )
    resources: Resources = Field(Resources(), description="Where it runs.")
    metadata: dict[str, str | int | float | bool] = Field(
        default_factory=dict, max_length=32, description="Anything of the user's own."
    )

    @field_validator("evaluation")
    @classmethod
    def _no_repeats(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(value)) != len(value):
            raise ValueError("has the same entry twice")
        return value
