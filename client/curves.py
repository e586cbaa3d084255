"""A job's curves, for the tools that people look at curves with already."""

from collections.abc import Iterator
from dataclasses import dataclass

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
