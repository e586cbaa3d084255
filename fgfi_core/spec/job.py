"""The job spec: one pydantic model that the API, the command line and the library validate alike. Imports no torch."""

import difflib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from fgfi_core.spec.catalogue import DETECTORS, DetectorInfo
from fgfi_core.spec.methods import FineGrained, FineGrainedSoftLabel, Method, NoImitation, SoftLabel
from fgfi_core.spec.recipes import same_shape

Stage = Literal["preflight", "teacher", "baseline", "imitation", "export", "report"]
STAGES: tuple[Stage, ...] = ("preflight", "teacher", "baseline", "imitation", "export", "report")

MAX_METADATA_ENTRIES = 32
MAX_METADATA_TEXT = 512

Side = Annotated[int, Field(ge=32, le=4096)]


class Model(BaseModel):
    """Unknown fields are errors: a misspelt field must never be silently a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# The detector of a side that names a model, until the service has looked it up.
OF_MODEL = ""


def _known_detector(name: str, info: ValidationInfo) -> str:
    if name in DETECTORS or (name == OF_MODEL and info.data.get("model") is not None):
        return name
    close = difflib.get_close_matches(name, DETECTORS, n=1)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    raise ValueError(f"there is no detector '{name}'.{meant} Known: {', '.join(DETECTORS)}")


class Data(Model):
    """Which data set, and which of its splits trains and which measures."""

    id: str | None = Field(None, description="Data set in the service; not needed with `fgfi train --data`.")
    train: str = Field("trainval", min_length=1)
    val: str = Field("test", min_length=1)
    unlabelled: str | None = Field(
        None,
        min_length=1,
        description="Split whose images carry imitation alone, near what the teacher is sure of; labels are not read.",
    )
    unlabelled_score: float = Field(0.5, gt=0, le=1, description="Least score of a teacher's box in such an image.")

    @model_validator(mode="after")
    def _splits_differ(self) -> "Data":
        if self.train == self.val:
            raise ValueError(f"train and val are both '{self.train}': the measured split must not be trained on")
        if self.unlabelled in (self.train, self.val):
            raise ValueError(f"unlabelled is '{self.unlabelled}', which is already the split that trains or measures")
        return self


def _has_imagenet_weights(detector: str, init: str) -> None:
    if init == "imagenet" and not DETECTORS[detector].imagenet:
        named = ", ".join(name for name, info in DETECTORS.items() if info.imagenet)
        raise ValueError(f"there are no ImageNet weights for '{detector}'; there are for: {named}")


def _either(schema: dict[str, Any]) -> None:
    """Say in the JSON schema what the validators hold to: a detector, or a model that has one."""
    schema["required"] = [name for name in schema.get("required", []) if name != "detector"]
    schema["anyOf"] = [{"required": ["detector"]}, {"required": ["model"]}]


class Beginning(Model):
    """A detector and its first weights."""

    model_config = ConfigDict(json_schema_extra=_either)

    model: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Registered in the service: its weights are the first ones, and it says the detector.",
    )
    detector: str

    _check = field_validator("detector")(_known_detector)

    @model_validator(mode="before")
    @classmethod
    def _take_from_model(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or fields.get("model") is None:
            return fields
        detector = fields.get("detector")
        return {"init": "file", **fields, "detector": OF_MODEL if detector is None else detector}

    def _check_model(self, init: str) -> None:
        if self.model is not None and init != "file":
            raise ValueError(f"init is '{init}', but model names the first weights: leave init out")


class Teacher(Beginning):
    """The heavy detector, trained here on the job's data, or given as a registered model or a file."""

    init: Literal["random", "imagenet", "file"] = Field(
        "random", description="Its first weights; file: the model's, or with `fgfi train` a safetensors file's."
    )
    epochs: int | None = Field(
        None, ge=0, le=10_000, description="Default: the schedule's; 0 takes the weights of model or file as they are."
    )
    image_size: tuple[Side, Side] | None = Field(
        None, description="(width, height) in pixels of its own input; default: the schedule's."
    )

    @model_validator(mode="after")
    def _can_begin(self) -> "Teacher":
        self._check_model(self.init)
        _has_imagenet_weights(self.detector, self.init)
        if self.epochs == 0 and self.init != "file":
            raise ValueError("epochs is 0, but only a teacher with a model, or with init 'file', is trained already")
        return self


class Student(Beginning):
    """The light detector that is delivered."""

    init: Literal["random", "imagenet", "teacher-slice", "file"] = Field(
        "random",
        description="Its first weights; teacher-slice: the leading channels of a teacher of the same family.",
    )

    @model_validator(mode="after")
    def _can_begin(self) -> "Student":
        self._check_model(self.init)
        _has_imagenet_weights(self.detector, self.init)
        return self


class Augmentation(Model):
    """What each training image goes through; every part keeps its boxes true."""

    flip: bool = True
    photometric: bool = True
    shift: bool = True


class Schedule(Model):
    """The one schedule that teacher, plain and imitating student share."""

    epochs: int = Field(30, ge=1, le=10_000)
    batch_size: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = "auto"
    micro_batch: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        "auto",
        description="Images in one pass; gradients of several add up to a step's. auto: as many as fit into memory.",
    )
    image_size: tuple[Side, Side] = Field((320, 240), description="(width, height) in pixels of the detectors' input.")
    resize: Literal["auto", "stretch", "fit"] = Field(
        "auto",
        description="stretch fills image_size whatever an image's aspect ratio; fit keeps it and pads. auto: fit for "
        "students of the families that are trained so: Faster R-CNN, RetinaNet and FCOS.",
    )
    learning_rate: Annotated[float, Field(gt=0, le=10)] | Literal["auto"] = "auto"
    optimizer: Literal["sgd", "adamw"] = Field(
        "sgd", description="sgd, as the recipes; adamw learns faster from scratch and in few steps."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Of sgd; the first of adamw's two decay rates.")
    weight_decay: float = Field(5e-4, ge=0, le=1)
    decay: Literal["cosine", "step"] = Field(
        "cosine", description="step: a tenth after five sevenths of the steps, as Faster R-CNN is trained."
    )
    warmup_steps: int = Field(100, ge=0, description="Steps over which the learning rate rises linearly.")
    clip_norm: float | None = Field(10.0, gt=0, description="Largest gradient norm; null switches clipping off.")
    evaluate_every: int = Field(5, ge=1, description="Epochs between evaluations; the last epoch is always evaluated.")
    checkpoint_seconds: float = Field(
        60.0, ge=0, description="Time after which the next step is followed by a checkpoint; 0 is every step."
    )
    checkpoint_steps: int | None = Field(
        None,
        ge=1,
        description="Steps after which a checkpoint follows, whichever of the two comes first; null leaves it to time.",
    )
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    anchors: Literal["data", "recipe"] = Field(
        "data", description="Shapes of detectors with one map: fitted to the training boxes, or the family's own."
    )
    augmentation: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _micro_batch_is_a_part(self) -> "Schedule":
        if self.batch_size != "auto" and self.micro_batch != "auto" and self.micro_batch > self.batch_size:
            raise ValueError(f"micro_batch is {self.micro_batch}, more than batch_size {self.batch_size}")
        return self


class Resources(Model):
    """Where the job runs."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Annotated[int, Field(ge=1, le=256)] | Literal["auto"] = "auto"
    loader_workers: Annotated[int, Field(ge=0, le=64)] | Literal["auto"] = "auto"


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


class JobSpec(Model):
    """One distillation job."""

    name: str = Field(min_length=1, max_length=200)
    dataset: Data
    teacher: Teacher
    student: Student
    method: Method = Field(default_factory=FineGrained)
    baseline: bool = Field(True, description="Train the same student without a teacher as the control run.")
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field((0,), min_length=1, max_length=16)
    schedule: Schedule = Schedule()
    preflight: Preflight = Preflight()
    evaluation: tuple[Literal["voc07", "voc", "coco", "kitti"], ...] = Field(("voc07", "voc"), min_length=1)
    exports: tuple[Literal["safetensors", "onnx"], ...] = Field(("safetensors", "onnx"), min_length=1)
    resources: Resources = Resources()
    metadata: dict[str, str | int | float | bool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _inputs_have_one_shape(self) -> "JobSpec":
        own = self.teacher.image_size
        if self.schedule.resize == "fit" and own is not None and not same_shape(own, self.schedule.image_size):
            raise ValueError(
                "schedule.resize is 'fit', and then teacher.image_size must have the shape of schedule.image_size: the "
                "teacher sees the student's images"
            )
        return self

    @field_validator("seeds", "evaluation", "exports")
    @classmethod
    def _no_repeats(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(value)) != len(value):
            raise ValueError("has the same entry twice")
        return value

    @model_validator(mode="after")
    def _the_pair_fits(self) -> "JobSpec":
        if OF_MODEL not in (self.teacher.detector, self.student.detector):
            self._check_pair(DETECTORS[self.teacher.detector], DETECTORS[self.student.detector])
        if self.dataset.unlabelled is not None and isinstance(self.method, NoImitation):
            raise ValueError("dataset.unlabelled is set, but method 'none' has no use for images without labels")
        return self

    def _check_pair(self, teacher: DetectorInfo, student: DetectorInfo) -> None:
        if self.student.init == "teacher-slice" and teacher.family != student.family:
            raise ValueError(
                f"student.init is 'teacher-slice', but '{student.name}' ({student.family}) is no narrower "
                f"'{teacher.name}' ({teacher.family}): both must be of one family"
            )
        if (
            isinstance(self.method, SoftLabel | FineGrainedSoftLabel)
            and teacher.classification != student.classification
        ):
            raise ValueError(
                f"method '{self.method.name}' compares class outputs, and those of '{teacher.name}' "
                f"({teacher.classification}) and '{student.name}' ({student.classification}) are of different kinds"
            )

    @field_validator("metadata")
    @classmethod
    def _small_metadata(cls, value: dict[str, Any]) -> dict[str, Any]:
        if len(value) > MAX_METADATA_ENTRIES:
            raise ValueError(f"has {len(value)} entries; at most {MAX_METADATA_ENTRIES} are kept")
        for key, item in value.items():
            if len(key) > MAX_METADATA_TEXT or len(str(item)) > MAX_METADATA_TEXT:
                raise ValueError(f"'{key[:40]}' is longer than {MAX_METADATA_TEXT} characters")
        return value
