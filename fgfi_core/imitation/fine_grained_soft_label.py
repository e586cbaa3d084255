"""`fine-grained+soft-label`: both together (ID in the ablation of Wang et al., CVPR 2019)."""

from torch import Tensor

from fgfi_core.imitation.fine_grained import FineGrainedImitation
from fgfi_core.imitation.imitation import StudentPass
from fgfi_core.imitation.soft_label import SoftLabelImitation
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.spec.methods import FineGrainedSoftLabel


class FineGrainedSoftLabelImitation(FineGrainedImitation):
    """Two terms, each with a weight of its own, from one pass of the teacher."""

    reads_outputs = True

    def __init__(self, method: FineGrainedSoftLabel, teacher: FrozenTeacher) -> None:
        super().__init__(method, teacher)
        self._soft_label = SoftLabelImitation(method, teacher)

    def forward(self, student: StudentPass) -> dict[str, Tensor]:
        """`imitation` and `soft_label`."""
        maps = self.teacher.maps(student.images)
        return self.compare(student, maps) | self._soft_label.compare(student, maps)
