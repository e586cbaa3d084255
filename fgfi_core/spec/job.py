"""The job spec: one pydantic model that the API, the command line and the library validate alike. Imports no torch."""

import difflib
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from fgfi_core.spec.base import Model, Side
from fgfi_core.spec.catalogue import DETECTORS, DetectorInfo
from fgfi_core.spec.methods import FineGrained, FineGrainedSoftLabel, Method, NoImitation, SoftLabel
from fgfi_core.spec.recipes import same_shape
from fgfi_core.spec.schedule import Preflight, Resources, Schedule

Stage = Literal["preflight", "teacher", "baseline", "imitation", "export", "report"]
STAGES: tuple[Stage, ...] = ("preflight", "teacher", "baseline", "imitation", "export", "report")

MAX_METADATA_ENTRIES = 32
MAX_METADATA_TEXT = 512

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
    train: str = Field("trainval", min_length=1, description="Split that trains.")
    val: str = Field("test", min_length=1, description="Split that measures; must not be trained on.")
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


def _catalogue(schema: dict[str, Any]) -> None:
    """Name in the JSON schema what the validator knows."""
    schema["enum"] = list(DETECTORS)


class Beginning(Model):
    """A detector and its first weights."""

    model_config = ConfigDict(json_schema_extra=_either)

    model: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Registered in the service: its weights are the first ones, and it says the detector.",
    )
    detector: str = Field(
        description="A name of the catalogue; with a model it is the model's.", json_schema_extra=_catalogue
    )

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
        None,
        description="(width, height) of its own input; default: the schedule's.",
        json_schema_extra={"unit": "pixels"},
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


class JobSpec(Model):
    """One distillation job."""

    name: str = Field(min_length=1, max_length=200, description="What people will call it.")
    dataset: Data = Field(description="Which data set, and which of its splits trains and which measures.")
    teacher: Teacher = Field(description="The heavy detector, trained here or given.")
    student: Student = Field(description="The light detector that is delivered.")
    method: Method = Field(default_factory=FineGrained, description="How the student learns from the teacher.")
    baseline: bool = Field(True, description="Train the same student without a teacher as the control run.")
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(
        (0,),
        min_length=1,
        max_length=16,
        description="Both students are trained once for each; several give an interval.",
    )
    schedule: Schedule = Field(Schedule(), description="How teacher, plain and imitating student are trained alike.")
    preflight: Preflight = Field(Preflight(), description="What the job is held to before hours are spent.")
    evaluation: tuple[Literal["voc07", "voc", "coco", "kitti"], ...] = Field(
        ("voc07", "voc"), min_length=1, description="Rules by which accuracy is measured; Pascal VOC's two always are."
    )
    exports: tuple[Literal["safetensors", "onnx"], ...] = Field(
        ("safetensors", "onnx"), min_length=1, description="Formats of the delivered student, each measured again."
    )
    resources: Resources = Field(Resources(), description="Where the job runs.")
    metadata: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Anything of the user's own; jobs can be looked for by it."
    )

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
    def _batches_have_equal_parts(self) -> "JobSpec":
        size, count = self.schedule.batch_size, self.resources.count
        if size != "auto" and size % count:
            raise ValueError(
                f"schedule.batch_size is {size}, which {count} processes (resources.count) cannot share equally: use a "
                f"multiple of {count}"
            )
        return self

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
