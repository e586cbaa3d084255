"""A clock for deadlines: never set back, and it goes on while the machine sleeps, as a lease does."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Seconds since some fixed moment."""
    return time.clock_gettime(_CLOCK)
