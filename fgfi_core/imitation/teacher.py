"""The teacher as imitation sees it: frozen, cut off after its maps, with an input size of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.errors import BadSpec
from fgfi_core.imitation.levels import LevelMatch, match_levels


class FrozenTeacher:
    """A trained teacher beside a student. No module: it enters neither an optimiser nor a checkpoint.

    detector, student: the two; of the student only facts and the meaning of its outputs are asked, never a pass.
    match: which maps of the two belong together. student_channels, channels: of the matched maps, pair by pair.
    Raises BadSpec when no maps can be matched.
    """

    def __init__(self, teacher: Detector, student: Detector) -> None:
        self.detector = teacher.eval().requires_grad_(requires_grad=False)
        self.student = student
        self.match: LevelMatch = match_levels(_shares(student), _shares(teacher))
        if not self.match.pairs:
            raise BadSpec(
                f"no map of the student '{student.name}' (strides {student.info.strides}) is within an octave of one "
                f"of the teacher '{teacher.name}' (strides {teacher.info.strides}).",
                hint="Choose a pair with closer strides, or another teacher.image_size.",
            )
        self.student_channels = tuple(student.channels()[pair.student] for pair in self.match.pairs)
        self.channels = tuple(teacher.channels()[pair.teacher] for pair in self.match.pairs)
        (width, height), (own_width, own_height) = student.image_size, teacher.image_size
        self.scale = (own_width / width, own_height / height)

    @torch.no_grad()
    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """All of its maps of the student's images [B, 3, H, W], resized to its own input where that differs."""
        return self.detector.features(self._resized(images))

    @torch.no_grad()
    def confident(self, images: Tensor, least_score: float) -> list[Target]:
        """What it finds in the student's images [B, 3, H, W], in pixels of these, as stand-ins for missing labels.

        least_score: of a detection that counts, in [0, 1].
        """
        x, y = self.scale
        targets = []
        for boxes, scores, labels in self.detector.detect(self._resized(images)):
            sure = scores >= least_score
            back = boxes[sure] / boxes.new_tensor((x, y, x, y))
            targets.append(Target(back, labels[sure]))
        return targets

    def matched(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Of its own maps those that a student's map imitates, pair by pair."""
        return tuple(maps[pair.teacher] for pair in self.match.pairs)

    def matched_student(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Of the student's maps those that imitate, pair by pair."""
        return tuple(maps[pair.student] for pair in self.match.pairs)

    def anchors(self) -> tuple[Tensor, ...]:
        """Its anchors on the matched levels, [H_l, W_l, K_l, 4] xyxy pixels of its own input."""
        return self.matched(self.detector.anchors())

    def boxes(self, boxes: Sequence[Tensor]) -> list[Tensor]:
        """Boxes [G, 4] of each image from pixels of the student's input to its own."""
        if self.scale == (1.0, 1.0):
            return list(boxes)
        x, y = self.scale
        # Numbers, not a tensor of them: making one on an accelerator waits for it.
        return [torch.stack([box[:, 0] * x, box[:, 1] * y, box[:, 2] * x, box[:, 3] * y], 1) for box in boxes]

    @torch.no_grad()
    def class_logits_like(self, maps: Sequence[Tensor], outputs: Outputs) -> Tensor:
        """Its class logits [N, K] for the slots of the student's `outputs`. maps: all of its own."""
        return self.detector.class_logits_like(maps, outputs, self.scale)

    def _resized(self, images: Tensor) -> Tensor:
        if self.scale == (1.0, 1.0):
            return images
        width, height = self.detector.image_size
        return functional.interpolate(images, size=(height, width), mode="bilinear", align_corners=False)


def _shares(detector: Detector) -> list[float]:
    """Strides as shares of the image's width."""
    return [stride / detector.image_size[0] for stride in detector.info.strides]
