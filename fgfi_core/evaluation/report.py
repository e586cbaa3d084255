"""One measured detector as data: what every rule says, where it errs, and its curves. Imports no torch.

All fractions are in [0, 1]. None stands where a rule has nothing to measure, as for a class without a box.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ErrorKind = Literal["localisation", "class", "both", "duplicate", "background", "missed"]
ERROR_KINDS: tuple[ErrorKind, ...] = ("localisation", "class", "both", "duplicate", "background", "missed")
Size = Literal["small", "medium", "large"]
SIZES: tuple[Size, ...] = ("small", "medium", "large")
Difficulty = Literal["easy", "moderate", "hard"]
DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "moderate", "hard")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VocNumbers(_Part):
    """Pascal VOC at IoU 0.5: mean area AP, and mean 11-point AP of VOC07."""

    map50: float
    map50_11: float


class CocoNumbers(_Part):
    """COCO's twelve numbers, in its order."""

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float | None
    ar10: float | None
    ar100: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None


class KittiClass(_Part):
    """One class by KITTI's protocol, for each difficulty: AP over 11 and over 40 recalls.

    A class with fewer than about 40 boxes that count cannot reach 1: so the devkit's rule is made.
    """

    ap11: Mapping[Difficulty, float | None]
    ap40: Mapping[Difficulty, float | None]


class KittiNumbers(_Part):
    """KITTI's object benchmark. map11, map40: plain means over classes and difficulties (the paper's: map11)."""

    classes: Mapping[str, KittiClass]
    map11: float | None
    map40: float | None


class Counts(_Part):
    """Detections and boxes sorted by what became of them, from each class's threshold on.

    true: detections that found a box. ignored: detections of boxes or regions that do not count. errors: false
    detections by kind, and boxes that nobody found ('missed').
    """

    true: int
    ignored: int
    errors: Mapping[ErrorKind, int]


class Curve(_Part):
    """Precision over recall at IoU 0.5, best score first; at most a few hundred points of it, the ends among them."""

    precision: tuple[float, ...]
    recall: tuple[float, ...]
    scores: tuple[float, ...]


class ClassEvaluation(_Part):
    """One class. boxes: that count. threshold: the score from which on precision and recall balance best (largest F1).

    ap50, ap50_11: Pascal VOC's. ap, ap75: COCO's, where it was asked for.
    """

    boxes: int
    threshold: float
    ap50: float | None
    ap50_11: float | None
    ap: float | None = None
    ap75: float | None = None
    counts: Counts
    curve: Curve


class SizeEvaluation(_Part):
    """Boxes of one size: small below 32 x 32 square pixels of the image, large from 96 x 96 on (COCO's bounds).

    ap50: mean over classes of the area AP at IoU 0.5 where boxes of other sizes are ignored, and detections of other
    sizes that belong to no box. recall: of the boxes that count, the share that some detection from its class's
    threshold on found.
    """

    boxes: int
    ap50: float | None
    recall: float | None


class Confusion(_Part):
    """Which class was found where which one is, from each class's threshold on, at IoU 0.5 and whatever the class.

    counts: [C + 1][C + 1]; row: the box's class, the last 'no box'; column: the detection's, the last 'nothing found'.
    """

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class ImageErrors(_Part):
    """One image, from each class's threshold on."""

    image_id: str
    true: int
    false: int
    missed: int


class Evaluation(_Part):
    """Everything measured of one detector on one split. coco, kitti: where the spec asks for them."""

    voc: VocNumbers
    coco: CocoNumbers | None = None
    kitti: KittiNumbers | None = None
    classes: Mapping[str, ClassEvaluation]
    sizes: Mapping[Size, SizeEvaluation]
    counts: Counts
    confusion: Confusion
    images: tuple[ImageErrors, ...]


class Change(_Part):
    """One number of the plain student and of the imitating one."""

    plain: float | None
    imitated: float | None

    @property
    def delta(self) -> float | None:
        """Imitated minus plain."""
        return None if self.plain is None or self.imitated is None else self.imitated - self.plain


class ImageChange(_Part):
    """An image where the two students differ in errors (false detections plus missed boxes)."""

    image_id: str
    plain: int
    imitated: int


class Helped(_Part):
    """Where the teacher helped: per class and per size (AP at IoU 0.5), and the images gained and lost, most first."""

    classes: Mapping[str, Change]
    sizes: Mapping[Size, Change]
    gained: tuple[ImageChange, ...]
    lost: tuple[ImageChange, ...]


class Gain(_Part):
    """What imitation won over the plain student, paired over seeds.

    differences: imitated minus plain map50, a seed each. low, high: of the 95 % interval of the mean by Student's t;
    None with one seed, which says nothing of the spread.
    """

    differences: tuple[float, ...] = Field(min_length=1)
    mean: float
    low: float | None
    high: float | None

    @property
    def distinguishable(self) -> bool | None:
        """Whether the interval leaves out zero; None with one seed."""
        if self.low is None or self.high is None:
            return None
        return self.low > 0 or self.high < 0
