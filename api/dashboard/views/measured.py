"""What a run measured, as its `evaluation.json` says: read by what pages show of it, and no more.

The file is written by `fgfi_core`, which the API never loads; a field that it gains later is no error here.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from api.scores import Role


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Voc(_Part):
    """Mean AP at IoU 0.5, by area and over 11 points; fractions in [0, 1], as all accuracies here."""

    map50: float
    map50_11: float


class KittiClass(_Part):
    """AP over 11 and 40 recalls by difficulty."""

    ap11: Mapping[str, float | None]
    ap40: Mapping[str, float | None]


class Kitti(_Part):
    """KITTI's benchmark."""

    classes: Mapping[str, KittiClass]
    map11: float | None
    map40: float | None


class Counts(_Part):
    """What became of detections, from each class's threshold on; `errors` by kind."""

    true: int
    errors: Mapping[str, int]


class Curve(_Part):
    """Precision over recall, best score first."""

    precision: tuple[float, ...]
    recall: tuple[float, ...]
    scores: tuple[float, ...]


class OneClass(_Part):
    """One class. threshold: the score from which on precision and recall balance best. ap, ap75: COCO's."""

    boxes: int
    threshold: float
    ap50: float | None
    ap: float | None = None
    ap75: float | None = None
    curve: Curve


class OneSize(_Part):
    """Boxes of one size."""

    boxes: int
    ap50: float | None
    recall: float | None


class Confusion(_Part):
    """Rows: the box's class, the last `no box`; columns: the detection's, the last `nothing found`."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Evaluation(_Part):
    """One detector on the val split. coco: its twelve numbers by name."""

    voc: Voc
    coco: Mapping[str, float | None] | None = None
    kitti: Kitti | None = None
    classes: Mapping[str, OneClass]
    sizes: Mapping[str, OneSize]
    counts: Counts
    confusion: Confusion


class Run(_Part):
    """One training's detector, measured."""

    role: Role
    seed: int
    evaluation: Evaluation


class ImageChange(_Part):
    """Errors of the two students in one image."""

    image_id: str
    plain: int
    imitated: int


class Helped(_Part):
    """Images where imitation made fewer and where it made more errors, most first."""

    gained: tuple[ImageChange, ...]
    lost: tuple[ImageChange, ...]


class Gain(_Part):
    """Imitated minus plain by seed, its mean, and the 95 % interval where there are several seeds."""

    differences: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None


class Measured(_Part):
    """The whole file. helped: by seed."""

    runs: tuple[Run, ...] = Field(min_length=1)
    helped: Mapping[int, Helped] = {}
    gain: Gain | None = None

    def of(self, role: Role) -> list[Evaluation]:
        """Every seed of the role."""
        return [run.evaluation for run in self.runs if run.role == role]

    def shown(self) -> dict[Role, Run]:
        """Of each role the run that curves and pictures show: the best, and plain with the delivered one's seed."""
        best: dict[Role, Run] = {}
        for run in self.runs:
            if run.role not in best or run.evaluation.voc.map50 > best[run.role].evaluation.voc.map50:
                best[run.role] = run
        if "imitated" in best:
            seed = best["imitated"].seed
            best.update({run.role: run for run in self.runs if run.role == "plain" and run.seed == seed})
        return best
