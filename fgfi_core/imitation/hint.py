"""`hint`: regression of the whole map (FitNets, Romero et al., ICLR 2015, section 2.2)."""

from collections.abc import Sequence

from torch import Tensor, nn

from fgfi_core.imitation.precision import exact
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.imitation.whole_map import WholeMapImitation
from fgfi_core.spec.methods import Hint


class HintImitation(WholeMapImitation):
    """A convolution of the student's map is to be the teacher's; used even where the channels agree.

    It is linear, since a teacher's map may be negative. Over processes with equal batches the mean of their gradients
    is that of one process.
    """

    def __init__(self, method: Hint, teacher: FrozenTeacher) -> None:
        self._kernel = method.kernel
        super().__init__(teacher)

    def adapter(self, student_channels: int, teacher_channels: int) -> nn.Module:
        """The regressor."""
        return nn.Conv2d(student_channels, teacher_channels, self._kernel, padding=self._kernel // 2)

    def compare(self, level: int, student: Tensor, teacher: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """See `hint_loss`."""
        del level, boxes
        return hint_loss(student, teacher)


def hint_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over images, channels and cells of (student - teacher)^2, a float32 scalar.

    FitNets' equation 3 is half the sum; the mean makes one weight serve maps of any size. student: [B, C, H, W],
    already regressed. teacher: likewise, a constant.
    """
    return (exact(student) - exact(teacher.detach())).square().mean()
