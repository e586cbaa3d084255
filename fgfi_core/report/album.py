"""The album: chosen images with all that a viewer draws over them, as one file of data. Imports no torch.

What a viewer needs in order to move a score threshold is in it: each detection names the box it belongs to, and whether
it is true, false or does not count. The best scored detection of a box is the true one, so a threshold takes detections
away and changes no verdict.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from fgfi_core.results import Role

NAME = "pictures.json"
VERSION = 1

Verdict = Literal["true", "false", "ignored"]
Box = tuple[float, float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Truth(_Part):
    """Labelled boxes: xyxy pixels of the original image, indices into the classes, and those that do not count."""

    boxes: tuple[Box, ...]
    labels: tuple[int, ...]
    difficult: tuple[bool, ...]


class Found(_Part):
    """What a role found, best score first. owners: index of the labelled box each belongs to, -1 for none."""

    boxes: tuple[Box, ...]
    scores: tuple[float, ...]
    labels: tuple[int, ...]
    owners: tuple[int, ...]
    verdicts: tuple[Verdict, ...]


class Mask(_Part):
    """Which cells of a level are imitated. bits: base64 of one bit a cell, row by row, the first in the highest bit."""

    width: int
    height: int
    bits: str


class DistanceMap(_Part):
    """Distance to the teacher's map at each cell. values: base64 of one byte a cell, 255 at `distance_ends`."""

    width: int
    height: int
    values: str


class Change(_Part):
    """Errors (false detections and missed boxes) of the two students, each from its own thresholds on."""

    plain: int
    imitated: int


class Picture(_Part):
    """One image. photo: base64 JPEG, perhaps smaller than `width` x `height`. region: finest level first.

    errors: of each role, from its own thresholds on. distances: only of images on which they were measured.
    """

    id: str
    width: int
    height: int
    photo: str
    truth: Truth
    roles: Mapping[Role, Found]
    errors: Mapping[Role, int]
    change: Change | None
    region: tuple[Mask, ...]
    distances: Mapping[Role, tuple[DistanceMap, ...]]


class Album(_Part):
    """The file. pictures: worst of the delivered student first.

    images: of the whole split. seeds: the training of each role that is shown. thresholds: by role, the score of each
    class from which on precision and recall balance best. distance_ends: a level each, what 255 stands for.
    """

    version: int = VERSION
    classes: tuple[str, ...]
    images: int
    seeds: Mapping[Role, int]
    thresholds: Mapping[Role, tuple[float, ...]]
    distance_ends: tuple[float, ...]
    pictures: tuple[Picture, ...]
