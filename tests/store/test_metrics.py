import math
from datetime import UTC, datetime

from store.metrics import Point, thin

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def points(values: list[float]) -> list[Point]:
    return [Point(step, float(step), value, 1, NOW) for step, value in enumerate(values)]


def test_a_short_series_is_left_as_it_is() -> None:
    series = points([3.0, 1.0, 2.0])
    assert thin(series, 3) == series


def test_a_long_series_keeps_its_ends_and_its_peaks() -> None:
    values = [math.sin(step / 50) for step in range(5000)]
    values[1234], values[4321] = 9.0, -9.0
    series = points(values)

    thinned = thin(series, 200)

    assert len(thinned) <= 200
    assert (thinned[0], thinned[-1]) == (series[0], series[-1])
    assert {series[1234], series[4321]} <= set(thinned)


def test_thinning_keeps_the_order_of_steps() -> None:
    steps = [point.step for point in thin(points([float(v % 17) for v in range(1000)]), 100)]
    assert steps == sorted(set(steps))
