"""`gt-box`: imitate the cells under the ground-truth boxes (G in the ablation of Wang et al., CVPR 2019)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from fgfi_core.imitation.box_cells import box_cells
from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.imitation.region import anchor_scale, nearest_level
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.spec.methods import GroundTruthBox


class GroundTruthBoxImitation(MaskedImitation):
    """The mask needs no anchors, but with `assigned` the anchors' sizes say which level a box belongs to."""

    def __init__(self, method: GroundTruthBox, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        self._assigned = method.levels == "assigned"
        self._grids = [(level.shape[0], level.shape[1]) for level in teacher.anchors()]
        self._scales = torch.stack([anchor_scale(level) for level in teacher.anchors()])

    def masks(self, boxes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Cells under a box, see `box_cells`: on all levels, or on the one of its size."""
        levels = nearest_level(pad_sequence(list(boxes), batch_first=True), self._scales)
        masks = []
        for index, grid in enumerate(self._grids):
            cells = box_cells(boxes, self.teacher.detector.image_size, grid)
            if self._assigned:
                cells = cells._replace(rows=cells.rows & (levels == index)[..., None])
            masks.append(cells.union())
        return tuple(masks)
