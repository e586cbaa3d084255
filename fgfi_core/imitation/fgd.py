"""`fgd`: focal and global knowledge (Yang et al., CVPR 2022, section 3)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fgfi_core.imitation.box_cells import BoxCells, box_cells
from fgfi_core.imitation.context import ContextBlock
from fgfi_core.imitation.precision import exact
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.imitation.whole_map import WholeMapImitation
from fgfi_core.spec.methods import FocalGlobal


class FocalGlobalImitation(WholeMapImitation):
    """Foreground and background weighted by the teacher's attention, attention itself, and global relations.

    Every part is a mean over images, so that over processes with equal batches the mean of their gradients is that of
    one process.
    """

    def __init__(self, method: FocalGlobal, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        self._method = method
        self.student_context = nn.ModuleList(ContextBlock(width) for width in teacher.channels)
        self.teacher_context = nn.ModuleList(ContextBlock(width) for width in teacher.channels)

    def compare(self, level: int, student: Tensor, teacher: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """The four parts in the ratio of the method's fields."""
        method, grid = self._method, (teacher.shape[2], teacher.shape[3])
        student, teacher = exact(student), exact(teacher.detach())
        scales = scale_masks(box_cells(boxes, self.teacher.detector.image_size, grid))
        own, wanted = attention(student, method.temperature), attention(teacher, method.temperature)
        foreground, background = (focal_loss(student, teacher, wanted, scale) for scale in scales)
        with torch.autocast(student.device.type, enabled=False):
            contexts = self.student_context[level](student), self.teacher_context[level](teacher)
        return (
            method.foreground * foreground
            + method.background * background
            + method.attention * attention_loss(own, wanted)
            + method.relation * relation_loss(*contexts)
        )


class Attention(NamedTuple):
    """Where and in which channels a map is active: spatial [N, H, W] with sum H * W, channel [N, C] with sum C."""

    spatial: Tensor
    channel: Tensor


class ScaleMasks(NamedTuple):
    """What each cell counts, float [N, H, W].

    foreground: 1 / cells of the box, of several boxes the smallest one's, so that a large object does not outweigh a
    small one; 0 elsewhere. background: 1 / cells under no box of the image; 0 elsewhere.
    """

    foreground: Tensor
    background: Tensor


def scale_masks(cells: BoxCells) -> ScaleMasks:
    """Section 3.1 of the paper; an image without boxes is background alone."""
    share = 1 / cells.counts().clamp_min(1).to(torch.get_default_dtype())
    each = (cells.rows * share[..., None])[..., :, None] * cells.columns[..., None, :]
    none = each.new_zeros(len(each), 1, *each.shape[2:])
    foreground = torch.cat([each, none], 1).amax(1)
    background = (foreground == 0).to(foreground)
    return ScaleMasks(foreground, background / background.sum((1, 2), keepdim=True).clamp_min(1))


def attention(x: Tensor, temperature: float) -> Attention:
    """H * W * softmax_hw(mean_c |x| / t) and C * softmax_c(mean_hw |x| / t), section 3.1. x: [N, C, H, W]."""
    size, channels = x.abs(), x.shape[1]
    spatial = (size.mean(1).flatten(1) / temperature).softmax(1).view(len(x), *x.shape[2:])
    channel = (size.mean((2, 3)) / temperature).softmax(1)
    return Attention(spatial[0].numel() * spatial, channels * channel)


def focal_loss(student: Tensor, teacher: Tensor, teachers: Attention, scale: Tensor) -> Tensor:
    """1 / N * sum scale_ij A^S_ij A^C_c (student - teacher)^2, section 3.1; A is the teacher's attention.

    student, teacher: [N, C, H, W]. scale: [N, H, W]. A scalar, exactly 0 where the scale is 0 everywhere.
    """
    weight = (scale * teachers.spatial)[:, None] * teachers.channel[..., None, None]
    return (weight * (student - teacher).square()).sum() / len(student)


def attention_loss(student: Attention, teacher: Attention) -> Tensor:
    """1 / N * (sum |A^S - A^S_t| + sum |A^C - A^C_t|), section 3.1; a scalar."""
    differences = [(own - wanted).abs().sum() for own, wanted in zip(student, teacher, strict=True)]
    return torch.stack(differences).sum() / len(student.channel)


def relation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """1 / N * sum (student - teacher)^2 of the maps with their contexts, section 3.2; a scalar."""
    return (student - teacher).square().sum() / len(student)
