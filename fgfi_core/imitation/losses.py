"""The imitation loss (Wang et al., CVPR 2019, equations 2 and 3)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from fgfi_core.imitation.adapter import Adapter


def imitation_loss(
    adapters: Sequence[Adapter],
    student_maps: Sequence[Tensor],
    teacher_maps: Sequence[Tensor],
    masks: Sequence[Tensor],
) -> Tensor:
    """Squared distance of adapted student and teacher at the masked cells, over 2 * N_p; a float32 scalar.

    Summed over channels, not averaged. N_p counts the masked cells of the whole batch and all levels. Without any the
    loss is exactly 0 and its gradients are zeros. A student map of another size is resized bilinearly to the teacher's.

    adapters: one for each level. student_maps: [B, Cs_l, h_l, w_l]. teacher_maps: [B, Ct_l, H_l, W_l], constants.
    masks: bool [B, H_l, W_l], on the teacher's grid.
    """
    terms, cells = [], 0
    for adapter, student, teacher, mask in zip(adapters, student_maps, teacher_maps, masks, strict=True):
        adapted = adapter.masked(_resized(student, teacher), mask)
        wanted = teacher.detach().movedim(1, -1)[mask]
        terms.append((adapted.float() - wanted.float()).square().sum())
        cells += len(wanted)
    return torch.stack(terms).sum() / (2 * max(cells, 1))


def _resized(student: Tensor, teacher: Tensor) -> Tensor:
    size = teacher.shape[-2:]
    if student.shape[-2:] == size:
        return student
    return functional.interpolate(student, size=size, mode="bilinear", align_corners=False)
