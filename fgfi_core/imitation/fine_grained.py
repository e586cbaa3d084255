"""The fine-grained method as one training step sees it: teacher's maps, region, adapters, loss."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation.adapter import Adapter
from fgfi_core.imitation.losses import imitation_loss
from fgfi_core.imitation.region import RegionEstimator
from fgfi_core.spec import FineGrained


class FineGrainedImitation(nn.Module):
    """Imitation of a frozen teacher near objects (sections 3.1 and 3.2 of the paper).

    Its parameters are the adapters alone: the teacher is no submodule, so it enters neither the optimiser nor a
    checkpoint.
    """

    def __init__(self, method: FineGrained, teacher: Detector, student: Detector) -> None:
        super().__init__()
        pairs = list(zip(student.channels(), teacher.channels(), strict=True))
        self._adapters = [Adapter(student_channels, channels) for student_channels, channels in pairs]
        self.adapters = nn.ModuleList(self._adapters)
        # A list hides the teacher from nn.Module's bookkeeping.
        self._teacher = [teacher.eval().requires_grad_(requires_grad=False)]
        self._estimator = RegionEstimator(teacher.anchors(), levels=method.levels)
        self._threshold = method.threshold

    def forward(self, images: Tensor, boxes: Sequence[Tensor], student_maps: Sequence[Tensor]) -> Tensor:
        """The unweighted imitation loss of a batch.

        images: [B, 3, H, W], the student's own augmented batch. boxes: per image [G, 4] xyxy pixels of the input.
        student_maps: the student's imitated maps of these images, with graph.
        """
        with torch.no_grad():
            teacher_maps = self._teacher[0].features(images)
            masks = self._estimator(boxes, self._threshold)
        return imitation_loss(self._adapters, student_maps, teacher_maps, masks)
