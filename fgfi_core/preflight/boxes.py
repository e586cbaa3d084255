"""Boxes to learn from and to measure on."""

from collections.abc import Iterator, Sequence

from fgfi_core.data.dataset import Example
from fgfi_core.errors import BadData
from fgfi_core.preflight.check import Subject, Verdict


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses a split without a box; difficult ones do not count."""
    dataset, spec = subject.bench.dataset, subject.bench.resolved.spec.dataset
    train, val = dataset.splits[spec.train], dataset.splits[spec.val]
    in_train, in_val = _count(train), _count(val)
    for name, count, purpose in ((spec.train, in_train, "learn from"), (spec.val, in_val, "measure on")):
        if not count:
            yield Verdict(
                "refused", f"the split '{name}' has no box to {purpose}.", hint="Check its annotations.", error=BadData
            )
    yield Verdict(
        "ok",
        f"{len(train)} images with {in_train} boxes to learn from, {len(val)} with {in_val} to measure on.",
        numbers={
            "train_images": len(train),
            "val_images": len(val),
            "train_boxes": in_train,
            "val_boxes": in_val,
            "classes": len(dataset.classes),
        },
    )


def _count(examples: Sequence[Example]) -> int:
    return sum(int((~example.difficult).sum()) for example in examples)
