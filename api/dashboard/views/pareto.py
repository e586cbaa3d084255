"""Size, latency and accuracy of several jobs' exports: which of them nobody beats in all three, and where each is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.dashboard.render import size as in_bytes

WIDTH, HEIGHT = 520.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 22.0, 14.0, 34.0
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
MOST_LEVELS = 6


@dataclass(frozen=True)
class Export:
    """One file. job: its letter. size: bytes; map50: a fraction; latency_ms: None where it was not measured."""

    job: str
    job_id: str
    name: str
    format: str
    size: int
    map50: float
    latency_ms: float | None
    parity: bool | None
    href: str


@dataclass(frozen=True)
class Candidate:
    """An export, and whether no other is as good in everything and better in something."""

    export: Export
    unbeaten: bool


@dataclass(frozen=True)
class Spot:
    """Where exports stand on their panel. job: the letter whose ink it has; label: all letters that stand there.

    above: the label stands above it, so that it covers no neighbour.
    """

    x: float
    y: float
    job: str
    label: str
    title: str
    unbeaten: bool
    above: bool


@dataclass(frozen=True)
class Tick:
    """A line of the grid. at: x or y on the panel."""

    at: float
    label: str


@dataclass(frozen=True)
class Panel:
    """Accuracy over one cost, on a logarithmic axis. front: an SVG path along those that none beats in both."""

    title: str
    spots: tuple[Spot, ...]
    front: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def candidates(exports: Sequence[Export]) -> tuple[Candidate, ...]:
    """Best accuracy first."""
    ordered = sorted(exports, key=lambda one: (-one.map50, one.size))
    return tuple(Candidate(one, not any(_beats(other, one) for other in exports)) for one in ordered)


def panels(found: Sequence[Candidate]) -> tuple[Panel, ...]:
    """Over size and over latency; a panel needs two exports that have both."""
    timed = [one for one in found if one.export.latency_ms]
    made = [
        _panel("Size of the file", found, lambda one: float(one.size), in_bytes),
        _panel("Latency of one image", timed, lambda one: one.latency_ms or math.nan, lambda value: f"{value:g} ms"),
    ]
    return tuple(panel for panel in made if panel is not None)


def _beats(one: Export, other: Export) -> bool:
    ours, theirs = _costs(one), _costs(other)
    return all(a <= b for a, b in zip(ours, theirs, strict=True)) and ours != theirs


def _costs(one: Export) -> tuple[float, float, float]:
    return -one.map50, float(one.size), one.latency_ms if one.latency_ms is not None else math.inf


def _panel(
    title: str, found: Sequence[Candidate], cost: Callable[[Export], float], say: Callable[[float], str]
) -> Panel | None:
    if len(found) < 2:
        return None
    costs = [cost(one.export) for one in found]
    low, high = min(costs) / 1.35, max(costs) * 1.35
    floor, top = _accuracies([one.export.map50 for one in found])

    def x(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * math.log(value / low) / math.log(high / low), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - floor) / (top - floor), 1)

    places = [(x(value), y(one.export.map50)) for one, value in zip(found, costs, strict=True)]
    titles = [_title(one.export, say(value)) for one, value in zip(found, costs, strict=True)]
    return Panel(
        title,
        _spots(found, places, titles),
        _front(places),
        tuple(Tick(x(value), say(value)) for value in _round_costs(low, high)),
        tuple(Tick(y(value), f"{100 * value:g}") for value in _levels(floor, top)),
    )


def _spots(
    found: Sequence[Candidate], places: Sequence[tuple[float, float]], titles: Sequence[str]
) -> tuple[Spot, ...]:
    """One spot for all that stand at one place."""
    together: dict[tuple[float, float], list[int]] = {}
    for number, place in enumerate(places):
        together.setdefault(place, []).append(number)
    apart = list(together)
    return tuple(
        Spot(
            px,
            py,
            job=found[numbers[0]].export.job,
            label=", ".join(dict.fromkeys(found[number].export.job for number in numbers)),
            title="; ".join(titles[number] for number in numbers),
            unbeaten=any(found[number].unbeaten for number in numbers),
            above=_above(apart.index((px, py)), apart),
        )
        for (px, py), numbers in together.items()
    )


def _levels(floor: float, top: float) -> list[float]:
    """Round accuracies within the ends, a few of them."""
    step = next(step for step in STEPS if (top - floor) / step <= MOST_LEVELS)
    return [round(step * n, 4) for n in range(math.ceil(floor / step - 1e-9), math.floor(top / step + 1e-9) + 1)]


def _accuracies(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the axis: never so near one another that noise looks like a difference."""
    low, high = min(values), max(values)
    room = max(0.015, 0.15 * (high - low))
    return max(0.0, low - room), min(1.0, high + room)


def _round_costs(low: float, high: float) -> list[float]:
    """Round numbers within the ends, as many as can be read."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for factors in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        finer = [round(factor * 10.0**power, 6) for power in powers for factor in factors]
        finer = [value for value in finer if low <= value <= high]
        if len(finer) > MOST_LEVELS:
            break
        found = finer
    return found


def _front(places: Sequence[tuple[float, float]]) -> str:
    """Steps from the cheapest to the most accurate; y grows downwards."""
    best, steps = math.inf, []
    for px, py in sorted(places):
        if py < best:
            best = py
            steps.append((px, py))
    path = f"M{steps[0][0]} {steps[0][1]}"
    return path + "".join(f"H{px}V{py}" for px, py in steps[1:])


def _above(number: int, places: Sequence[tuple[float, float]]) -> bool:
    px, py = places[number]
    return not any(other != number and abs(ox - px) < 18 and 0 <= py - oy < 22 for other, (ox, oy) in enumerate(places))


def _title(one: Export, cost: str) -> str:
    return f"{one.job}, {one.format}: {100 * one.map50:.1f} % mAP50, {cost}"
