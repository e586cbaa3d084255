"""What every distillation method is to the training loop: from one forward pass of the student to loss terms."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from fgfi_core.detectors.detector import Outputs, Target
from fgfi_core.imitation.teacher import FrozenTeacher


class StudentPass(NamedTuple):
    """One forward pass of the student, with graph.

    images: [B, 3, H, W] float32 RGB in [0, 1], augmented. targets: one per image. maps: all of the student's maps, each
    [B, C_l, H_l, W_l]. outputs: of its heads.
    """

    images: Tensor
    targets: Sequence[Target]
    maps: Sequence[Tensor]
    outputs: Outputs


class Imitation(nn.Module, ABC):
    """A method. Its parameters are trained with the student and left out of what is delivered.

    teacher: hidden from nn.Module, for it is not trained. reads_outputs: whether the outputs of the student's heads are
    looked at, not its maps alone.
    """

    reads_outputs: bool = False

    def __init__(self, teacher: FrozenTeacher) -> None:
        super().__init__()
        self.teacher = teacher

    @abstractmethod
    def forward(self, student: StudentPass) -> dict[str, Tensor]:
        """Loss terms by name, float32 scalars, unweighted; the names are those of the spec's `terms()`."""
