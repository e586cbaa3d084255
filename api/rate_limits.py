"""How many requests a minute a key, a browser session or a stranger's address may make, counted in Redis for all
processes alike.

A full minute's worth may come at once; then it refills evenly (GCRA: one number a bucket, moved by one script). While
Redis is away nothing is limited, reads nor writes: the limits of projects hold in PostgreSQL all the same, and a broken
Redis must not stop people from posting jobs.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import structlog

from store.settings import Settings

if TYPE_CHECKING:
    from redis.commands.core import Script

log = structlog.get_logger("api.rate_limits")

Policy = Literal["read", "write", "stranger"]
WINDOW_SECONDS = 60
PATIENCE_SECONDS = 0.25
# After a failure Redis is left alone for so long: no request waits for what is away.
PAUSE_SECONDS = 5.0

# KEYS: the bucket. ARGV: microseconds a request takes to refill; how many may come at once.
# The bucket holds the time at which it will be full again. Answers: allowed, left, microseconds to wait, to be full.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local after = full + ARGV[1]
local wait = after - ARGV[1] * ARGV[2] - now
if wait > 0 then
    return {0, 0, math.ceil(wait), math.ceil(full - now)}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, math.floor(-wait / ARGV[1]), 0, math.ceil(after - now)}
"""


@dataclass(frozen=True)
class Verdict:
    """Whether a request may go on; how many more may follow at once; seconds to wait, and until all may come again."""

    allowed: bool
    policy: Policy
    quota: int
    left: int
    wait: float
    reset: float

    def headers(self) -> dict[str, str]:
        """`RateLimit` and `RateLimit-Policy` as the IETF's draft has them; with `Retry-After` when refused."""
        told = {
            "ratelimit-policy": f'"{self.policy}";q={self.quota};w={WINDOW_SECONDS}',
            "ratelimit": f'"{self.policy}";r={self.left};t={math.ceil(self.reset)}',
        }
        return told if self.allowed else {**told, "retry-after": str(max(1, math.ceil(self.wait)))}


class RateLimits:
    """The buckets of one installation. Connects when it is first asked."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Celery and redis-py spell a socket's address differently.
        self._url = settings.redis_url.replace("redis+socket://", "unix://", 1)
        self._quotas: dict[Policy, int] = {
            "read": settings.rate_reads,
            "write": settings.rate_writes,
            "stranger": settings.rate_strangers,
        }
        self._away_until = 0.0

    def take(self, policy: Policy, who: str) -> Verdict | None:
        """Count a request of `who`; None where there is no limit, or nobody to count."""
        quota = self._quotas[policy]
        if not quota or self._clock() < self._away_until:
            return None
        from redis import RedisError  # noqa: PLC0415 - see _script

        try:
            answer = self._script(keys=[f"fgfi:rate:{policy}:{who}"], args=[WINDOW_SECONDS * 10**6 / quota, quota])
        except RedisError as error:
            self._away_until = self._clock() + PAUSE_SECONDS
            # The kind of error only: its text may hold an address with a password.
            log.warning("rate_limits_off", reason=type(error).__name__, seconds=PAUSE_SECONDS)
            return None
        allowed, left, wait, reset = answer
        return Verdict(bool(allowed), policy, quota, left, wait / 10**6, reset / 10**6)

    @cached_property
    def _script(self) -> "Script":
        from redis import Redis  # noqa: PLC0415 - a fifth of the time the process takes to start

        broker = Redis.from_url(self._url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS)
        return broker.register_script(_SCRIPT)
