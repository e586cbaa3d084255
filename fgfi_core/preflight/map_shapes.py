"""Shapes and strides of the imitated maps: what is compared with what, and how far one is resized for it."""

from collections.abc import Iterator

import torch

from fgfi_core.preflight.check import Subject, Verdict

LARGEST_RESIZE = 2.5  # an octave, and the rounding of small grids


def check(subject: Subject) -> Iterator[Verdict]:
    """Warns of maps that are resized by more than an octave: little of what the teacher saw is left there."""
    pair = subject.pair
    if pair is None:
        return
    teacher = pair.imitate.module.teacher
    width, height = pair.student.image_size
    images = torch.zeros(1, 3, height, width, device=subject.bench.placement.device)
    with torch.no_grad(), subject.bench.placement.autocast():
        own = teacher.matched_student(pair.student.eval().features(images))
        wanted = teacher.matched(teacher.maps(images))
    numbers: dict[str, float] = {}
    texts, largest = [], 1.0
    for level, (one, other) in enumerate(zip(own, wanted, strict=True)):
        (h, w), (target_h, target_w) = one.shape[-2:], other.shape[-2:]
        factor = target_w / w
        largest = max(largest, factor, 1 / factor)
        numbers |= {
            f"level{level}/student_width": w,
            f"level{level}/student_height": h,
            f"level{level}/student_channels": one.shape[1],
            f"level{level}/student_stride": width / w,
            f"level{level}/teacher_width": target_w,
            f"level{level}/teacher_height": target_h,
            f"level{level}/teacher_channels": other.shape[1],
            f"level{level}/teacher_stride": pair.teacher.image_size[0] / target_w,
            f"level{level}/resize": factor,
        }
        texts.append(f"{one.shape[1]} x {h} x {w} imitates {other.shape[1]} x {target_h} x {target_w}")
    text = f"maps, channels x height x width: {'; '.join(texts)}."
    if largest > LARGEST_RESIZE:
        hint = "Choose a pair with closer strides, or another teacher.image_size."
        yield Verdict("warning", f"a map is resized {largest:.1f} times. {text}", hint=hint, numbers=numbers)
    else:
        yield Verdict("ok", text, numbers=numbers)
