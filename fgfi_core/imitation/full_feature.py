"""`full-feature`: imitate every cell (F in the ablation of Wang et al., CVPR 2019)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.spec.methods import FullFeature


class FullFeatureImitation(MaskedImitation):
    """A mask of ones; psi = 0 is another method, for it leaves out cells without any overlap."""

    dense = True  # gathering every cell only costs

    def __init__(self, method: FullFeature, teacher: FrozenTeacher) -> None:
        del method  # It has no fields of its own.
        super().__init__(teacher)
        self._levels = teacher.anchors()

    def masks(self, boxes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """All cells, with boxes or without."""
        return tuple(
            torch.ones(len(boxes), *level.shape[:2], dtype=torch.bool, device=level.device) for level in self._levels
        )
