"""`fine-grained`: imitate near objects only (Wang et al., CVPR 2019, section 3.1)."""

from collections.abc import Sequence

from torch import Tensor

from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.imitation.region import RegionEstimator
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.spec.methods import FineGrained


class FineGrainedImitation(MaskedImitation):
    """The region follows from the boxes and the teacher's anchors alone."""

    def __init__(self, method: FineGrained, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        self._estimator = RegionEstimator(teacher.anchors(), levels=method.levels)
        self._threshold = method.threshold

    def masks(self, boxes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Cells with an anchor of IoU > psi times the box's best."""
        return self._estimator(boxes, self._threshold)
