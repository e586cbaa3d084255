"""The rules that the job is to be measured by know the data's classes: they are asked after hours of training."""

from collections.abc import Iterator

from fgfi_core.evaluation import kitti
from fgfi_core.preflight.check import Subject, Verdict


def check(subject: Subject) -> Iterator[Verdict]:
    """Raises BadSpec for KITTI's rule and classes that it does not know; the others measure any class."""
    resolved = subject.bench.resolved
    if "kitti" in resolved.spec.evaluation:
        kitti.refuse_strangers(resolved.classes)
        yield Verdict("ok", "KITTI's rule knows all classes of the data.")
