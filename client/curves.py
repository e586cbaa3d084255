"""A job's curves, for the tools that people look at curves with already."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from client.errors import EXIT_USAGE, ClientError

MOST_POINTS = 10_000


@dataclass(frozen=True)
class Curve:
    """One metric over the steps of one stage and seed; points without a finite value are left out."""

    stage: str
    seed: int
    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def training(self) -> str:
        """The training that it belongs to, such as imitation-0: one run of a tool that overlays runs."""
        return f"{self.stage}-{self.seed}"

    def points(self) -> Iterator[tuple[int, float]]:
        """Step by step."""
        return zip(self.steps, self.values, strict=True)


def missing(package: str, extra: str) -> ClientError:
    """The package that writes them is not installed."""
    return ClientError(
        f"the package {package} is not installed",
        hints=(f"install this package with its extra `{extra}`",),
        exit_code=EXIT_USAGE,
    )


def curve_of(series: dict[str, Any]) -> Curve:
    """A series as the service answers it, without the steps that have no value."""
    points = [(step, value) for step, value in zip(series["steps"], series["values"], strict=True) if value is not None]
    steps, values = tuple(step for step, _ in points), tuple(value for _, value in points)
    return Curve(series["stage"], series["seed"], series["name"], steps, values)
