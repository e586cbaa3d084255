"""The same picture under two names, once to learn from and once to be measured on."""

from collections.abc import Iterator

from fgfi_core.data.leaks import leaks
from fgfi_core.errors import BadData
from fgfi_core.preflight.check import Subject, Verdict

SHOWN = 3
MOST_IMAGES = 20_000  # decoding more takes longer than anybody waits for a pre-flight


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses pictures of val that train holds too; decodes every image, so broken ones are named here as well."""
    dataset, spec = subject.bench.dataset, subject.bench.resolved.spec.dataset
    count = len(dataset.splits[spec.train]) + len(dataset.splits[spec.val])
    if count > MOST_IMAGES:
        text = f"{count} images are too many to compare here."
        yield Verdict("ok", f"{text} `fgfi datasets check` looks for the same picture in two splits.")
        return
    copies = [leak for leak in leaks(dataset, spec.train, spec.val) if leak.example.image_id != leak.other.image_id]
    numbers = {"leaked_images": float(len(copies))}
    if not copies:
        yield Verdict("ok", f"no picture of '{spec.val}' is in '{spec.train}' under another name.", numbers=numbers)
        return
    shown = "; ".join(str(leak) for leak in copies[:SHOWN])
    more = f"; and {len(copies) - SHOWN} more" if len(copies) > SHOWN else ""
    yield Verdict(
        "refused",
        f"{len(copies)} pictures of dataset.val '{spec.val}' are in dataset.train '{spec.train}' under another name: "
        f"{shown}{more}.",
        hint="Take the copies out of one of the two splits, or set preflight.force.",
        numbers=numbers,
        error=BadData,
        judgement=True,
    )
