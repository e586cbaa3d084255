"""The same picture under two names, once to learn from and once to be measured on."""

from collections.abc import Iterator, Sequence

from fgfi_core.data.leaks import Leak, leaks
from fgfi_core.errors import BadData
from fgfi_core.preflight.check import Subject, Verdict

SHOWN = 3
MOST_IMAGES = 20_000  # decoding more takes longer than anybody waits for a pre-flight


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses pictures of val that the job also learns from; decodes every image, so broken ones are named here too."""
    dataset, spec = subject.bench.dataset, subject.bench.resolved.spec.dataset
    learned = [split for split in (spec.train, spec.unlabelled) if split is not None]
    count = sum(len(dataset.splits[split]) for split in (*learned, spec.val))
    if count > MOST_IMAGES:
        text = f"{count} images are too many to compare here."
        yield Verdict("ok", f"{text} `fgfi datasets check` looks for the same picture in two splits.")
        return
    for split in learned:
        copies = [leak for leak in leaks(dataset, split, spec.val) if leak.example.image_id != leak.other.image_id]
        yield _verdict(copies, split, spec.val, len(dataset.splits[spec.val]))


def _verdict(copies: Sequence[Leak], learned: str, measured: str, images: int) -> Verdict:
    numbers = {"leaked_images": float(len(copies))}
    if not copies:
        return Verdict("ok", f"no picture of '{measured}' is in '{learned}' under another name.", numbers=numbers)
    shown = "; ".join(str(leak) for leak in copies[:SHOWN])
    more = f"; and {len(copies) - SHOWN} more" if len(copies) > SHOWN else ""
    return Verdict(
        "refused",
        f"'{learned}' holds {len(copies)} of the {images} pictures of '{measured}', which measures, "
        f"under another name: {shown}{more}.",
        hint="Take the copies out of one of the two splits, or set preflight.force.",
        numbers=numbers,
        error=BadData,
        judgement=True,
    )
