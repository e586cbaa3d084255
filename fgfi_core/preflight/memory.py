"""How a batch goes through: at once, or in parts whose gradients add up."""

import math
from collections.abc import Iterator

from fgfi_core.preflight.check import Subject, Verdict


def check(subject: Subject) -> Iterator[Verdict]:
    """Tells what `schedule.micro_batch` was resolved to."""
    schedule = subject.bench.resolved.spec.schedule
    size = int(schedule.batch_size)
    part = size if schedule.micro_batch == "auto" else schedule.micro_batch
    parts = math.ceil(size / part)
    numbers = {"batch_size": size, "micro_batch": part, "micro_batches": parts}
    if parts == 1:
        yield Verdict("ok", f"a batch of {size} images goes through at once.", numbers=numbers)
    else:
        text = (
            f"a batch of {size} images goes through in {parts} parts of at most {part}; batch norms, N_p and detection "
            "losses are normalised over a part."
        )
        yield Verdict("ok", text, numbers=numbers)
