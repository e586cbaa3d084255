"""What a finished job says: the numbers of `result.json`, `evaluation.json`, the report and `demo/summary.json`."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fgfi_core.evaluation.report import CocoNumbers, Evaluation, Gain, Helped, KittiNumbers

Role = Literal["teacher", "plain", "imitated"]


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Score(_Result):
    """Accuracy of one detector on the val split; fractions in [0, 1].

    map50: mean area AP at IoU 0.5. map50_11: mean VOC07 11-point AP. ap50: area AP per class name, None for a class
    without a box in the split.
    """

    map50: float
    map50_11: float
    ap50: dict[str, float | None]


class Training(_Result):
    """One trained detector: which role it plays, from which seed, and how it scored at its best checkpoint.

    imitation_weights: of each loss term the method added, by name. coco, kitti: where the spec asks for them.
    """

    role: Role
    detector: str
    seed: int
    score: Score
    best_step: int
    steps: int
    seconds: float
    imitation_weights: dict[str, float] = Field(default_factory=dict)
    coco: CocoNumbers | None = None
    kitti: KittiNumbers | None = None


class Export(_Result):
    """One delivered file, measured again after it was written.

    size: bytes. map50: re-measured by running this very file. latency_ms: median of one image on this machine's CPU.
    max_box_difference: largest difference in pixels to the training framework's boxes on the parity images.
    """

    format: str
    path: str
    size: int
    sha256: str
    map50: float
    latency_ms: float
    parity: bool
    max_box_difference: float


class JobResult(_Result):
    """The whole job. Roles with several seeds appear once per seed. gain: None where a student was not trained."""

    name: str
    classes: tuple[str, ...]
    trainings: tuple[Training, ...]
    exports: tuple[Export, ...]
    seconds: float
    gain: Gain | None = None

    def map50_by_seed(self, role: Role) -> dict[int, float]:
        """The role's mAP at IoU 0.5 of each seed."""
        return {t.seed: t.score.map50 for t in self.trainings if t.role == role}

    def map50(self, role: Role) -> float | None:
        """Mean over seeds of the role's mAP at IoU 0.5; None when the role was not trained."""
        scores = [t.score.map50 for t in self.trainings if t.role == role]
        return math.fsum(scores) / len(scores) if scores else None

    @property
    def gap_closed(self) -> float | None:
        """(imitated - plain) / (teacher - plain); None when a part is missing or the teacher is not better."""
        teacher, plain, imitated = self.map50("teacher"), self.map50("plain"), self.map50("imitated")
        if teacher is None or plain is None or imitated is None or teacher <= plain:
            return None
        return (imitated - plain) / (teacher - plain)


class EvaluationResult(_Result):
    """A job that only measured. ap50: area AP per class; images: of the split; seconds: of detecting and measuring.

    coco, kitti: where the spec asks for them. All there is to say is in `evaluation.json`.
    """

    name: str
    detector: str
    classes: tuple[str, ...]
    split: str
    images: int
    map50: float
    map50_11: float
    ap50: dict[str, float | None]
    coco: CocoNumbers | None = None
    kitti: KittiNumbers | None = None
    seconds: float


class RunEvaluation(_Result):
    """One trained detector, measured by every rule that was asked for."""

    role: Role
    seed: int
    evaluation: Evaluation


class JobEvaluation(_Result):
    """All measurements of a job: `evaluation.json`. helped: where the teacher helped, by seed of the two students."""

    runs: tuple[RunEvaluation, ...]
    helped: dict[int, Helped] = Field(default_factory=dict)
    gain: Gain | None = None
