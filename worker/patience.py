"""How long a silent run may be waited for: a step that takes twenty times as long as others is not a slow one."""

from collections import deque
from statistics import median

from fgfi_core import events

SAMPLES = 101


class Patience:
    """Times the steps of a run. least: seconds of silence that are always fine; factor: and so many median steps."""

    def __init__(self, least: float, factor: float, now: float) -> None:
        self._least = least
        self._factor = factor
        self._heard_at = now
        self._last: tuple[str, int, int] | None = None
        self._stepped_at = now
        self._step_seconds: deque[float] = deque(maxlen=SAMPLES)

    def begin(self, now: float) -> None:
        """The run begins now; what was before it (fetching its files) does not count."""
        self._heard_at = self._stepped_at = now

    def note(self, event: events.Event, now: float) -> None:
        """Hear of an event: each is a sign of life, and those of steps tell how long one takes."""
        self._heard_at = now
        if not isinstance(event, events.Progress | events.Metrics):
            return
        here = (event.stage, event.seed, event.step)
        if self._last is not None and here[:2] == self._last[:2] and here[2] > self._last[2]:
            self._step_seconds.append((now - self._stepped_at) / (here[2] - self._last[2]))
        if here != self._last:
            self._last, self._stepped_at = here, now

    @property
    def limit(self) -> float:
        """Seconds of silence after which the run counts as hung."""
        steps = median(self._step_seconds) if self._step_seconds else 0.0
        return max(self._least, self._factor * steps)

    def silence(self, now: float) -> float:
        """Seconds since the last sign of life."""
        return now - self._heard_at

    def is_over(self, now: float) -> bool:
        """Whether the run is silent for too long."""
        return self.silence(now) > self.limit
