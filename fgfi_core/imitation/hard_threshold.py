"""`hard-threshold`: one IoU for all boxes instead of psi times the best (figure 3 of Wang et al., CVPR 2019)."""

from collections.abc import Sequence

from torch import Tensor

from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.imitation.region import RegionEstimator
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.spec.methods import HardThreshold


class HardThresholdImitation(MaskedImitation):
    """A box that no anchor overlaps by the threshold is not imitated at all: what the paper's psi mends."""

    def __init__(self, method: HardThreshold, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        self._estimator = RegionEstimator(teacher.anchors(), levels=method.levels, absolute=True)
        self._threshold = method.threshold

    def masks(self, boxes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Cells with an anchor of IoU > threshold."""
        return self._estimator(boxes, self._threshold)
