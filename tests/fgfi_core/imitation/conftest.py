"""A detector of any strides, channels and sizes that costs nothing, and one forward pass of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fgfi_core.detectors.anchors import grid
from fgfi_core.detectors.detector import Detector, Outputs, Selection, Target
from fgfi_core.imitation import StudentPass
from fgfi_core.spec import DETECTORS
from fgfi_core.spec.catalogue import DetectorInfo

Classification = Literal["anchors-softmax", "anchors-sigmoid", "regions-softmax"]


class Pyramid(Detector):
    """For each stride a map of pooled and mixed pixels, two square anchors a cell, and class logits for each."""

    def __init__(
        self,
        channels: Sequence[int] = (6,),
        strides: Sequence[int] = (8,),
        image_size: tuple[int, int] = (64, 48),
        *,
        num_classes: int = 3,
        classification: Classification = "anchors-softmax",
        name: str = "pyramid",
        side: float = 2.0,
    ) -> None:
        super().__init__()
        self.name, self.num_classes, self.image_size, self.anchor_shapes = name, num_classes, image_size, ()
        self.selection = Selection(score_threshold=0.0, nms_iou=0.5)
        self._info = replace(
            DETECTORS["shuffledet-1x"],
            name=name,
            strides=tuple(strides),
            channels=tuple(channels),
            classification=classification,
        )
        self.mixes = nn.ModuleList(nn.Conv2d(3, width, 1) for width in channels)
        self.classes = nn.ModuleList(nn.Conv2d(width, 2 * num_classes, 1) for width in channels)
        for level, stride in enumerate(strides):
            shapes = [(side * stride, side * stride), (2 * side * stride, 2 * side * stride)]
            cells = (image_size[0] // stride, image_size[1] // stride)
            self.register_buffer(f"anchors_{level}", grid(shapes, image_size, cells), persistent=False)

    @property
    def info(self) -> DetectorInfo:
        return self._info

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(
            mix(functional.avg_pool2d(images, stride))
            for mix, stride in zip(self.mixes, self._info.strides, strict=True)
        )

    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Outputs:
        del targets
        raw = [head(m) for head, m in zip(self.classes, maps, strict=True)]
        logits = [r.permute(0, 2, 3, 1).reshape(len(r), -1, self.num_classes) for r in raw]
        return {"logits": torch.cat(logits, 1)}

    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        del targets
        return {"class": outputs["logits"].square().mean()}

    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        scores = outputs["logits"].sigmoid()
        boxes = torch.cat([level.flatten(0, 2) for level in self.anchors()])
        return boxes.expand(len(scores), -1, -1), scores

    def anchors(self) -> tuple[Tensor, ...]:
        return tuple(self.get_buffer(f"anchors_{level}") for level in range(len(self._info.strides)))

    def weight_decay_parameters(self) -> set[str]:
        return set()

    def class_logits(self, outputs: Outputs) -> Tensor:
        return outputs["logits"].flatten(0, 1)


BOXES = (((4.0, 6.0, 27.0, 30.0), (30.0, 8.0, 62.0, 40.0)), ((20.0, 10.0, 40.0, 22.0),))


def one_pass(student: Detector, boxes: Sequence[Sequence[Sequence[float]]] = BOXES) -> StudentPass:
    """The student on a batch of noise with these boxes."""
    width, height = student.image_size
    images = torch.rand(len(boxes), 3, height, width, generator=torch.Generator().manual_seed(7))
    targets = [
        Target(torch.tensor(image).reshape(-1, 4), torch.zeros(len(image), dtype=torch.int64)) for image in boxes
    ]
    maps = student.features(images)
    return StudentPass(images, targets, maps, student.heads(maps, targets))


@pytest.fixture
def pyramid() -> Callable[..., Detector]:
    """Make a detector from channels, strides, image size and classes; the same weights in every test."""
    torch.manual_seed(0)
    return Pyramid


@pytest.fixture
def student_pass() -> Callable[..., StudentPass]:
    """Run one forward pass of a student on noise, with some boxes or those given for each image."""
    return one_pass
