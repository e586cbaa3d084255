"""The learning rate of each step."""

import math


def learning_rate(step: int, steps: int, peak: float, warmup_steps: int) -> float:
    """Linear rise over `warmup_steps`, then a cosine from `peak` to 0 at `steps`. `step` counts from 0."""
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
