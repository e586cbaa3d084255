"""Means of what a training reports, without making the device wait."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor


class Window:
    """Sums of the values since the last report, kept on the device so that adding never waits for it."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add one step's scalars."""
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value.detach() if name in self._sums else value.detach()
            self._counts[name] = self._counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """The means, and start anew."""
        means = self.peek()
        self._sums, self._counts = {}, {}
        return means

    def peek(self) -> dict[str, float]:
        """The means so far; here the host waits for the device."""
        return {name: float(total) / self._counts[name] for name, total in self._sums.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {"sums": self._sums, "counts": self._counts}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Window":
        """The inverse of `state`."""
        window = cls()
        window._sums, window._counts = dict(state["sums"]), dict(state["counts"])
        return window
