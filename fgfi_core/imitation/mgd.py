"""`mgd`: generate the teacher's map from a student's with cells hidden (Yang et al., ECCV 2022, section 3)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fgfi_core.imitation.precision import exact
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.imitation.whole_map import WholeMapImitation
from fgfi_core.processes import counts, part_of
from fgfi_core.spec.methods import MaskedGenerative


class MaskedGenerativeImitation(WholeMapImitation):
    """A generator of two 3x3 convolutions for each level, trained with the student.

    What is hidden comes from torch's global generator of the maps' device, whose state is in every checkpoint, so that
    a resumed run hides the same cells. Over processes with equal batches the mean of their gradients is that of one
    process: each takes its part of one draw.
    """

    def __init__(self, method: MaskedGenerative, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        self._masked = method.masked
        self.generators = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))
            for width in teacher.channels
        )

    def compare(self, level: int, student: Tensor, teacher: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """See `mgd_loss`."""
        del boxes
        return mgd_loss(self.generators[level](hidden(student, self._masked)), teacher)


def hidden(x: Tensor, share: float) -> Tensor:
    """`x` [N, C, H, W] with each cell set to 0, in all channels, with this probability."""
    lengths = counts(len(x))
    drawn = torch.rand(sum(lengths), 1, *x.shape[2:], device=x.device)
    return x * (part_of(drawn, lengths) >= share)


def mgd_loss(generated: Tensor, teacher: Tensor) -> Tensor:
    """1 / N * sum (generated - teacher)^2, a float32 scalar.

    The sum is over the number of images, as in its programs; published weights and shares: 5e-7, 0.45
    (two-stage), 2e-5, 0.65 (one-stage). generated, teacher: [N, C, H, W]; the teacher's is a constant.
    """
    return (exact(generated) - exact(teacher.detach())).square().sum() / len(teacher)
