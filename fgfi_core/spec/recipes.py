"""What a schedule that leaves it to us gets: batch sizes of the devices, learning rates of the families."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fgfi_core.spec.catalogue import DETECTORS

BATCH_SIZE: Mapping[str, int] = {"cpu": 8, "cuda": 32}
"""By kind of device."""


@dataclass(frozen=True)
class Recipe:
    """Numbers for SGD with momentum 0.9, but for `ADAMW`.

    learning_rate: peak at `batch_size`. bias_factor: of the learning rate, for biases.
    """

    learning_rate: float
    batch_size: int
    bias_factor: float = 1.0

    def rate(self, batch_size: int) -> float:
        """At another batch size: it goes with the square root, the careful one of the two usual rules."""
        return self.learning_rate * math.sqrt(batch_size / self.batch_size)


# By family. shuffledet: the paper's. ssd-shufflenetv2: by experiment (docs/results.md). faster-rcnn on one map: the
# paper's, with biases at twice the rate; the others: torchvision's reference trainings.
RECIPES: Mapping[str, Recipe] = {
    "shuffledet": Recipe(0.02, 32),
    "ssd-shufflenetv2": Recipe(0.2, 8),
    "ssd-efficientnet-lite0": Recipe(0.05, 8),
    "faster-rcnn-vgg": Recipe(0.001, 1, bias_factor=2.0),
    "faster-rcnn-c4": Recipe(0.003, 4, bias_factor=2.0),
    "faster-rcnn-fpn": Recipe(0.02, 16),
    "faster-rcnn-mobilenet-v3-fpn": Recipe(0.02, 16),
    "retinanet": Recipe(0.01, 16),
    "fcos": Recipe(0.01, 16),
    "ssdlite": Recipe(0.03, 8),
}


# AdamW's steps depend little on the size of gradients, and so on the family.
ADAMW = Recipe(0.001, 8)


def recipe(detector: str, optimizer: Literal["sgd", "adamw"] = "sgd") -> Recipe:
    """The recipe of a detector's family."""
    return ADAMW if optimizer == "adamw" else RECIPES[DETECTORS[detector].family]


# torchvision's reference trainings and the original programs keep the aspect ratio of these families' images.
FITTED = ("faster-rcnn-", "retinanet", "fcos")
# Of the shapes of two inputs, so that rounding to whole pixels, or to strides, makes no difference.
SHAPE_TOLERANCE = 0.02


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes (width, height) have about one aspect ratio."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= SHAPE_TOLERANCE


def resize(
    asked: Literal["auto", "stretch", "fit"], student: str, image_size: tuple[int, int], teachers: tuple[int, int]
) -> Literal["stretch", "fit"]:
    """As it will be, of all trainings; image_size, teachers: (width, height) of the two inputs."""
    if asked != "auto":
        return asked
    fitted = DETECTORS[student].family.startswith(FITTED) and same_shape(image_size, teachers)
    return "fit" if fitted else "stretch"


def batch_size(asked: int | Literal["auto"], device: str, train_images: int, processes: int = 1) -> int:
    """As it will be; device: `cpu` or `cuda`. One that was asked for is not changed; else all processes get as many."""
    if asked != "auto":
        return asked
    return max(1, min(BATCH_SIZE[device], train_images) // processes) * processes


def learning_rate(
    asked: float | Literal["auto"], student: str, optimizer: Literal["sgd", "adamw"], batch_size: int
) -> float:
    """As it will be, of all trainings: the student's recipe decides, for theirs is the comparison."""
    return recipe(student, optimizer).rate(batch_size) if asked == "auto" else asked
