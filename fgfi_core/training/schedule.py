"""The learning rate of each step."""

import math
from typing import Literal

STEP_AT = 5 / 7  # Faster R-CNN on VOC: a tenth after the fifth of seven epochs
STEP_FACTOR = 0.1


def learning_rate(
    step: int, steps: int, peak: float, warmup_steps: int, decay: Literal["cosine", "step"] = "cosine"
) -> float:
    """Linear rise over `warmup_steps`, then down. `step` counts from 0.

    cosine: from `peak` to 0 at `steps`. step: `peak`, and a tenth of it from five sevenths of `steps` on.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    if decay == "step":
        return peak if step < STEP_AT * steps else peak * STEP_FACTOR
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
