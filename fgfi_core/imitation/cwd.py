"""`cwd`: channel-wise distributions over the map (Shu et al., ICCV 2021, section 3)."""

from collections.abc import Sequence

from torch import Tensor

from fgfi_core.imitation.precision import exact
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.imitation.whole_map import WholeMapImitation
from fgfi_core.spec.methods import ChannelWise


class ChannelWiseImitation(WholeMapImitation):
    """Where in the map each channel is active, whatever its scale.

    Over processes with equal batches the mean of their gradients is that of one process.
    """

    def __init__(self, method: ChannelWise, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        self._temperature = method.temperature

    def compare(self, level: int, student: Tensor, teacher: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """See `cwd_loss`."""
        del level, boxes
        return cwd_loss(student, teacher, self._temperature)


def cwd_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """t^2 / (N * C) * sum_nc KL(softmax_hw(teacher_nc / t) || softmax_hw(student_nc / t)), a float32 scalar.

    The mean over images is that of its programs; published: t 1, weight 10 on FPN.
    student, teacher: [N, C, H, W]; the teacher's is a constant.
    """
    own, wanted = ((exact(x).flatten(2) / temperature).log_softmax(-1) for x in (student, teacher.detach()))
    return temperature**2 * (wanted.exp() * (wanted - own)).sum(-1).mean()
