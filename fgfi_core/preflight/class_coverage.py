"""Each class is learned and measured."""

from collections.abc import Iterator, Sequence

from fgfi_core.data.dataset import Example
from fgfi_core.errors import BadData
from fgfi_core.preflight.check import Subject, Verdict


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses a class that is measured and never learned; warns of one that is learned and not measured."""
    dataset, spec = subject.bench.dataset, subject.bench.resolved.spec.dataset
    learned = _counts(dataset.splits[spec.train], len(dataset.classes))
    measured = _counts(dataset.splits[spec.val], len(dataset.classes))
    for name, in_train, in_val in zip(dataset.classes, learned, measured, strict=True):
        if in_val and not in_train:
            yield Verdict(
                "refused",
                f"class '{name}' has {in_val} boxes in '{spec.val}' and none in '{spec.train}'.",
                hint="Add training examples of it, or remove the class from the annotations.",
                error=BadData,
                judgement=True,
            )
        if in_train and not in_val:
            yield Verdict(
                "warning",
                f"class '{name}' has no box in '{spec.val}': its AP is not measured.",
                hint=f"Move some images of it to '{spec.val}'.",
            )


def _counts(examples: Sequence[Example], classes: int) -> list[int]:
    counts = [0] * classes
    for example in examples:
        for label in example.labels[~example.difficult]:
            counts[int(label)] += 1
    return counts
