"""What imitation won over the plain student, and whether that is more than chance between seeds."""

import math
from collections.abc import Mapping

from scipy.special import stdtrit  # type: ignore[import-untyped]  # Publishes no types.

from fgfi_core.evaluation.report import Gain

CONFIDENCE = 0.95


def gain(plain_by_seed: Mapping[int, float], imitated_by_seed: Mapping[int, float]) -> Gain | None:
    """Pair both students seed by seed; None without a seed that both have.

    plain_by_seed, imitated_by_seed: map50 in [0, 1]. The interval is Student's t of the mean of the differences.
    """
    differences = tuple(
        imitated_by_seed[seed] - plain_by_seed[seed] for seed in sorted(plain_by_seed) if seed in imitated_by_seed
    )
    count = len(differences)
    if not count:
        return None
    mean = math.fsum(differences) / count
    if count == 1:
        return Gain(differences=differences, mean=mean, low=None, high=None)
    variance = math.fsum((one - mean) ** 2 for one in differences) / (count - 1)
    # The inverse of t's distribution function, as scipy.stats.t.ppf, which takes a second to load.
    half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * math.sqrt(variance / count)
    return Gain(differences=differences, mean=mean, low=mean - half, high=mean + half)


def say(found: Gain) -> str:
    """Say it in one sentence, in points of mAP at IoU 0.5."""
    points = f"{abs(found.mean) * 100:.1f} points of mAP"
    # What is rounded to nothing was not lost.
    verb = "lost" if round(found.mean * 100, 1) < 0 else "gained"
    if found.low is None or found.high is None:
        return f"Imitation {verb} {points} with one seed, which says nothing of the spread between seeds."
    seeds = len(found.differences)
    interval = f"95 % interval {found.low * 100:+.1f} to {found.high * 100:+.1f}"
    doubt = "" if found.distinguishable else ", which cannot be told from zero"
    return f"Imitation {verb} {points} on average over {seeds} seeds ({interval}){doubt}."
