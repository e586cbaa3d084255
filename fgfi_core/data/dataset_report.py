"""What `check` says of a data set, as data: it is stored, sent and shown as JSON.

Fields are only ever added, and with a default: reports that were stored before them stay readable.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from fgfi_core.data.statistics import Statistics


class _Report(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(_Report):
    """One problem, as JSON. `line` counts from 1."""

    severity: Literal["warning", "error"]
    file: str
    line: int | None
    message: str


class SplitSummary(_Report):
    """One split: how many images, how many of them without a box, how many boxes, and how many of these difficult.

    crowd: boxes around many objects (COCO), all of them difficult too. ignored: regions where evaluation counts nothing
    (KITTI's DontCare), which are no boxes.
    """

    images: int
    empty: int
    boxes: int
    difficult: int
    crowd: int
    ignored: int
    per_class: dict[str, int]


class ClassSummary(_Report):
    """One class over all images. Sides in pixels of the original images; relative area: the box's over the image's.

    Medians are None for a class without a box, which formats that list their classes may have.
    """

    boxes: int
    images: int
    median_width: float | None
    median_height: float | None
    median_relative_area: float | None


class Range(_Report):
    """Smallest, median and largest value."""

    smallest: float
    median: float
    largest: float


class Shared(_Report):
    """Two splits have images in common; neither contains the other."""

    splits: tuple[str, str]
    images: int


class Leaked(_Report):
    """One picture in two splits of which neither contains the other: by one file, or by two with the same pixels."""

    split: str
    file: str
    other_split: str
    other_file: str


class DatasetReport(_Report):
    """What is in a data set and what is wrong with it.

    `usable` is False when any image had to be left out; training refuses such data. `problems` and `leaks` hold at most
    the first 200 each, errors first; `problem_counts` counts all problems. Counts of images and boxes are over distinct
    images.
    """

    format: str
    usable: bool
    images: int
    boxes: int
    classes: dict[str, ClassSummary]
    splits: dict[str, SplitSummary]
    shared: tuple[Shared, ...]
    width: Range
    height: Range
    boxes_per_image: Range
    problems: tuple[Finding, ...]
    problem_counts: dict[Literal["warning", "error"], int]
    leaks: tuple[Leaked, ...] = ()
    statistics: Statistics | None = None
