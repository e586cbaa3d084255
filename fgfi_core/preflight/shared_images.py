"""Images that both splits list: measuring on what was trained on measures memory."""

from collections.abc import Iterator

from fgfi_core.preflight.check import Subject, Verdict


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses splits that share an image by its name."""
    dataset, spec = subject.bench.dataset, subject.bench.resolved.spec.dataset
    for role, split in (("train", spec.train), ("unlabelled", spec.unlabelled)):
        shared = dataset.shared(split, spec.val) if split is not None else frozenset()
        if not shared:
            continue
        yield Verdict(
            "refused",
            f"dataset.{role} '{split}' and dataset.val '{spec.val}' share {len(shared)} images, "
            f"for instance '{min(shared)}': the measured images must not be trained on.",
            hint="Take them off one of the two lists, or choose two splits that share none "
            f"(there are {', '.join(sorted(dataset.splits))}).",
        )
