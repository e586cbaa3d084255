"""Teacher and student can be paired by this method: one image goes through, before the teacher is trained."""

from collections.abc import Iterator

import torch

from fgfi_core.detectors import Target
from fgfi_core.imitation import StudentPass
from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.preflight.pair import Pair


def check(subject: Subject) -> Iterator[Verdict]:
    """Names maps without a partner. Raises BadSpec for a pair that the method cannot serve."""
    pair = subject.pair
    if pair is None:
        return
    _try_out(pair, subject)
    match = pair.imitate.module.teacher.match
    unmatched = [
        f"maps of the {side} '{info.name}' without a partner, by stride: {_strides(info.strides, left)}"
        for side, left, info in (
            ("student", match.student_only, pair.student.info),
            ("teacher", match.teacher_only, pair.teacher.info),
        )
        if left
    ]
    text = f"matched maps of student and teacher, one to one: {len(match.pairs)}"
    yield Verdict("ok", "; ".join([text, *unmatched]) + ".", numbers={"matched_maps": len(match.pairs)})


def _try_out(pair: Pair, subject: Subject) -> None:
    width, height = pair.student.image_size
    device = subject.bench.placement.device
    images = torch.zeros(1, 3, height, width, device=device)
    half = torch.tensor([[0.0, 0.0, width / 2, height / 2]], device=device)
    targets = [Target(half, torch.tensor([0], device=device))]
    with torch.no_grad(), subject.bench.placement.autocast():
        maps = pair.student.eval().features(images)
        pair.imitate.module(StudentPass(images, targets, maps, pair.student.heads(maps, targets)))


def _strides(strides: tuple[int, ...], levels: tuple[int, ...]) -> str:
    return ", ".join(str(strides[level]) for level in levels)
