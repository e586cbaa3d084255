"""Imitation at masked cells: one adaptation and one loss for every rule that says where."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fgfi_core.imitation.adapter import Adapter
from fgfi_core.imitation.imitation import Imitation, StudentPass
from fgfi_core.imitation.losses import imitation_loss
from fgfi_core.imitation.teacher import FrozenTeacher


class MaskedImitation(Imitation):
    """The paper's adaptation and loss (section 3.2) on whatever cells `masks` names.

    Over processes the cells of all are counted, so that the mean of their gradients is that of one process.

    dense: how masked cells are adapted, see `imitation_loss`.
    """

    dense: bool | None = None

    def __init__(self, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        channels = zip(teacher.student_channels, teacher.channels, strict=True)
        self.adapters = nn.ModuleList(Adapter(own, wanted) for own, wanted in channels)

    @abstractmethod
    def masks(self, boxes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Imitated cells, bool [B, H_l, W_l] on the grid of each matched level of the teacher.

        boxes: [G, 4] xyxy pixels of the teacher's input, for each image.
        """

    def forward(self, student: StudentPass) -> dict[str, Tensor]:
        """`imitation`, see `imitation_loss`."""
        return self.compare(student, self.teacher.maps(student.images))

    def compare(self, student: StudentPass, teacher_maps: Sequence[Tensor]) -> dict[str, Tensor]:
        """The same with the teacher's maps, all of them, already at hand."""
        with torch.no_grad():
            masks = self.masks(self.teacher.boxes([target.boxes for target in student.targets]))
        adapters = [adapter for adapter in self.adapters if isinstance(adapter, Adapter)]
        own, wanted = self.teacher.matched_student(student.maps), self.teacher.matched(teacher_maps)
        return {"imitation": imitation_loss(adapters, own, wanted, masks, dense=self.dense)}
