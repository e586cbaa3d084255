"""Rivals that compare whole maps, level by level: what differs between them is the formula."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fgfi_core.imitation.imitation import Imitation, StudentPass
from fgfi_core.imitation.resize import resized
from fgfi_core.imitation.teacher import FrozenTeacher


class WholeMapImitation(Imitation):
    """Sums a formula over the matched levels, with the student's map in the teacher's size and channels.

    The papers compare maps of equal channels; where they differ here a 1x1 convolution brings the student's to the
    teacher's, and where they agree there is none.
    """

    def __init__(self, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        channels = zip(teacher.student_channels, teacher.channels, strict=True)
        self.adapters = nn.ModuleList(self.adapter(own, wanted) for own, wanted in channels)

    def adapter(self, student_channels: int, teacher_channels: int) -> nn.Module:
        """What brings one level's [B, Cs, H, W] to [B, Ct, H, W]."""
        if student_channels == teacher_channels:
            return nn.Identity()
        return nn.Conv2d(student_channels, teacher_channels, kernel_size=1)

    @abstractmethod
    def compare(self, level: int, student: Tensor, teacher: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """The loss of one pair of maps, both [B, C, H, W].

        level: number of the pair. boxes: [G, 4] xyxy pixels of the teacher's input, for each image.
        """

    def forward(self, student: StudentPass) -> dict[str, Tensor]:
        """`imitation`, the sum over levels."""
        wanted = self.teacher.matched(self.teacher.maps(student.images))
        own = self.teacher.matched_student(student.maps)
        boxes = self.teacher.boxes([target.boxes for target in student.targets])
        losses = [
            self.compare(level, adapter(resized(one, other)), other, boxes)
            for level, (adapter, one, other) in enumerate(zip(self.adapters, own, wanted, strict=True))
        ]
        return {"imitation": torch.stack(losses).sum()}
