"""Student and teacher on one grid: masks, boxes and losses live on the teacher's."""

from torch import Tensor
from torch.nn import functional


def resized(student: Tensor, teacher: Tensor) -> Tensor:
    """The student's map [B, Cs, h, w], bilinearly at the size of the teacher's [B, Ct, H, W]."""
    size = teacher.shape[-2:]
    if student.shape[-2:] == size:
        return student
    return functional.interpolate(student, size=size, mode="bilinear", align_corners=False)
