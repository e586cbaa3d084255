"""How a job trains, where it runs, and what it is held to before."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fgfi_core.spec.base import Model, Side


class Augmentation(Model):
    """What each training image goes through; every part keeps its boxes true."""

    flip: bool = Field(True, description="Mirror half of the images.")
    photometric: bool = Field(True, description="Change brightness, contrast, saturation and hue.")
    shift: bool = Field(True, description="Move the image within its frame.")


class Schedule(Model):
    """The one schedule that teacher, plain and imitating student share."""

    epochs: int = Field(30, ge=1, le=10_000, description="Passes over the training split.")
    batch_size: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        "auto", description="Images of a step; auto: 8 on a CPU, 32 on a GPU.", json_schema_extra={"unit": "images"}
    )
    micro_batch: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        "auto",
        description="Images in one pass; gradients of several add up to a step's. auto: as many as fit into memory.",
        json_schema_extra={"unit": "images"},
    )
    image_size: tuple[Side, Side] = Field(
        (320, 240), description="(width, height) of the detectors' input.", json_schema_extra={"unit": "pixels"}
    )
    resize: Literal["auto", "stretch", "fit"] = Field(
        "auto",
        description="stretch fills image_size whatever an image's aspect ratio; fit keeps it and pads. auto: fit for "
        "students of the families that are trained so: Faster R-CNN, RetinaNet and FCOS.",
    )
    learning_rate: Annotated[float, Field(gt=0, le=10)] | Literal["auto"] = Field(
        "auto", description="At its peak; auto: the recipe of the student's family at this batch size."
    )
    optimizer: Literal["sgd", "adamw"] = Field(
        "sgd", description="sgd, as the recipes; adamw learns faster from scratch and in few steps."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Of sgd; the first of adamw's two decay rates.")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="Pulls weights towards zero.")
    decay: Literal["cosine", "step"] = Field(
        "cosine", description="step: a tenth after five sevenths of the steps, as Faster R-CNN is trained."
    )
    warmup_steps: int = Field(
        100, ge=0, description="Over which the learning rate rises linearly.", json_schema_extra={"unit": "steps"}
    )
    clip_norm: float | None = Field(10.0, gt=0, description="Largest gradient norm; null switches clipping off.")
    evaluate_every: int = Field(
        5,
        ge=1,
        description="Epochs between evaluations; the last epoch is always evaluated.",
        json_schema_extra={"unit": "epochs"},
    )
    checkpoint_seconds: float = Field(
        60.0,
        ge=0,
        description="Time after which the next step is followed by a checkpoint; 0 is every step.",
        json_schema_extra={"unit": "seconds"},
    )
    checkpoint_steps: int | None = Field(
        None,
        ge=1,
        description="Steps after which a checkpoint follows, whichever of the two comes first; null leaves it to time.",
        json_schema_extra={"unit": "steps"},
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Of forward passes; auto: bf16 where the graphics card has it."
    )
    anchors: Literal["data", "recipe"] = Field(
        "data", description="Shapes of detectors with one map: fitted to the training boxes, or the family's own."
    )
    augmentation: Augmentation = Field(Augmentation(), description="What each training image goes through.")

    @model_validator(mode="after")
    def _micro_batch_is_a_part(self) -> "Schedule":
        if self.batch_size != "auto" and self.micro_batch != "auto" and self.micro_batch > self.batch_size:
            raise ValueError(f"micro_batch is {self.micro_batch}, more than batch_size {self.batch_size}")
        return self


class Resources(Model):
    """Where the job runs."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where the worker has one.")
    count: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that train together, each with its part of every batch, and on CUDA with a device of "
        "its own; the result is that of one, but for rounding.",
    )
    threads: Annotated[int, Field(ge=1, le=256)] | Literal["auto"] = Field(
        "auto", description="Of the CPU, of each process; auto: by the worker's cores."
    )
    loader_workers: Annotated[int, Field(ge=0, le=64)] | Literal["auto"] = Field(
        "auto", description="Processes that read images; auto: none on a CPU, some beside a GPU."
    )


class Preflight(Model):
    """What a job is held to before hours are spent. Changes nothing in the trainings themselves."""

    teacher_floor: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Least mAP at IoU 0.5 of the teacher on val. Below it is refused; of under 100 steps only warned.",
    )
    force: bool = Field(
        False, description="Go on with warnings where a judgement would refuse; what cannot be trained stays refused."
    )
    estimate: bool = Field(True, description="Time a few steps of each training, and tell how long the job will take.")
