"""`pkd`: correlation of maps (Cao et al., NeurIPS 2022, section 3)."""

from collections.abc import Sequence

from torch import Tensor

from fgfi_core.imitation.precision import exact
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.imitation.whole_map import WholeMapImitation
from fgfi_core.processes import added, processes
from fgfi_core.spec.methods import Pearson

_LEAST_VARIANCE = 1e-12


class PearsonImitation(WholeMapImitation):
    """Patterns without their magnitudes; made for pairs of unlike families.

    Over processes with equal batches all standardise by the statistics of the whole, as batch norms do.
    """

    def __init__(self, method: Pearson, teacher: FrozenTeacher) -> None:
        del method  # It has no fields of its own.
        super().__init__(teacher)

    def compare(self, level: int, student: Tensor, teacher: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """See `pkd_loss`."""
        del level, boxes
        return pkd_loss(student, teacher)


def pkd_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean of (z(student) - z(teacher))^2, halved, a float32 scalar; z standardises each channel over (N, H, W).

    That is the mean over channels of 1 - r, Pearson's correlation, where no channel is constant. A
    constant channel stays zero and has no gradient, for dividing by its deviation would drown all others. Published
    weights: 6 (Faster R-CNN), 10 (RetinaNet). student, teacher: [N, C, H, W]; the teacher's is a constant.
    """
    return (_standardised(student) - _standardised(teacher.detach())).square().mean() / 2


def _standardised(x: Tensor) -> Tensor:
    x = exact(x)
    centred = x - added(x.mean((0, 2, 3), keepdim=True)) / processes()
    variance = added(centred.square().mean((0, 2, 3), keepdim=True)) / processes()
    return centred * variance.clamp_min(_LEAST_VARIANCE).rsqrt() * (variance > _LEAST_VARIANCE)
