"""Timing of alternatives in turn, so that a busy moment of the machine meets all of them alike."""

import statistics
import time
from collections.abc import Callable


def interleaved(rounds: int, *alternatives: Callable[[], object]) -> list[float]:
    """Median milliseconds of each alternative; see `samples`."""
    return [statistics.median(times) for times in samples(rounds, *alternatives)]


def samples(rounds: int, *alternatives: Callable[[], object]) -> list[list[float]]:
    """Milliseconds of each alternative in each round; every round runs each once, after one round of warm-up."""
    seconds: list[list[float]] = [[] for _ in alternatives]
    for number in range(rounds + 1):
        for run, times in zip(alternatives, seconds, strict=True):
            start = time.perf_counter()
            run()
            if number > 0:
                times.append(time.perf_counter() - start)
    return [[1000 * one for one in times] for times in seconds]


def report(case: str, slow: str, fast: str, times: list[float]) -> None:
    """Print one row: both medians and their ratio."""
    print(f"{case:70s} {slow} {times[0]:8.2f}  {fast} {times[1]:8.2f}  {times[0] / times[1]:5.1f}x", flush=True)
