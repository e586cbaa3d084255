"""Weights to begin with can be had and fit: the student's are else asked for after the teacher's training."""

from collections.abc import Iterator

from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.training.initialise import from_file
from fgfi_core.training.resolve import Side


def check(subject: Subject) -> Iterator[Verdict]:
    """Loads ImageNet's weights and files once. Raises WeightsUnavailable or BadData."""
    bench = subject.bench
    spec = bench.resolved.spec
    sides: tuple[tuple[Side, str], ...] = (("teacher", spec.teacher.init), ("student", spec.student.init))
    for side, init in sides:
        if init == "imagenet":
            bench.create(side).imagenet_weights()
            yield Verdict("ok", f"the {side}'s ImageNet weights are at hand.")
        elif init == "file":
            complete = side == "teacher" and spec.teacher.epochs == 0
            spare = from_file(bench.create(side), bench.weights[side], complete=complete)
            fresh = f", but for {len(spare)} tensors of its classes" if spare else ""
            yield Verdict("ok", f"{bench.weights[side].name} fits the {side}{fresh}.")
