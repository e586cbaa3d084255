"""The imitation loss (Wang et al., CVPR 2019, equations 2 and 3)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from fgfi_core.imitation.adapter import Adapter
from fgfi_core.imitation.precision import exact
from fgfi_core.imitation.resize import resized
from fgfi_core.processes import processes, summed


def imitation_loss(
    adapters: Sequence[Adapter],
    student_maps: Sequence[Tensor],
    teacher_maps: Sequence[Tensor],
    masks: Sequence[Tensor],
    *,
    dense: bool | None = None,
) -> Tensor:
    """Squared distance of adapted student and teacher at the masked cells, over 2 * N_p; a float32 scalar.

    Summed over channels, not averaged. N_p counts the masked cells of the whole batch and all levels. Without any the
    loss is exactly 0 and its gradients are zeros. A student map of another size is resized bilinearly to the teacher's.

    Over several processes N_p counts the cells of all, and each one's loss is its own sum times their number: averaging
    gradients, as DistributedDataParallel does, then gives the gradient of one process with the whole batch, however
    unevenly the cells are spread. All of them have to call this at the same step.

    adapters: one for each level. student_maps: [B, Cs_l, h_l, w_l]. teacher_maps: [B, Ct_l, H_l, W_l], constants.
    masks: bool [B, H_l, W_l], on the teacher's grid. dense: adapt all cells and leave out the others' errors, instead
    of gathering the masked ones; None gathers on a CPU, where it is several times faster, and is dense elsewhere, where
    gathering would wait for the device to count the cells.
    """
    errors = []
    for adapter, student, teacher, mask in zip(adapters, student_maps, teacher_maps, masks, strict=True):
        gather = mask.device.type == "cpu" if dense is None else not dense
        squared = gathered_error if gather else dense_error
        errors.append(squared(adapter, resized(student, teacher), teacher.detach(), mask))
    cells = summed(torch.stack([mask.sum() for mask in masks]).sum())
    return processes() * torch.stack(errors).sum() / (2 * cells.clamp_min(1))


def gathered_error(adapter: Adapter, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Summed squared error of one level, adapting the masked cells alone; shapes as above."""
    adapted = adapter.masked(student, mask)
    wanted = teacher.movedim(1, -1)[mask]
    return (exact(adapted) - exact(wanted)).square().sum()


def dense_error(adapter: Adapter, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """The same, adapting all cells; no shape depends on the mask, so nothing waits for the device."""
    squared = (exact(adapter(student)) - exact(teacher)).square().sum(1)
    return (squared * mask).sum()
