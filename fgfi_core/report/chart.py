"""Line charts as inline SVG: sharp at any size, coloured by the page's style sheet, no script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fgfi_core.report.roles import ROLES
from fgfi_core.results import Role


@dataclass(frozen=True)
class Series:
    """One line. points: (x, y) in data units. faint: drawn behind, thin, for one seed of several."""

    role: Role
    label: str
    points: Sequence[tuple[float, float]]
    faint: bool = False
    marks: bool = False


@dataclass(frozen=True)
class Axis:
    """One axis. low, high: None takes the data's. percent: values are fractions and shown as percent."""

    title: str
    low: float | None = None
    high: float | None = None
    percent: bool = False


WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 36


def line_chart(series: Sequence[Series], x: Axis, y: Axis, *, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Markup:
    """Draw the lines over one another; empty when no series has a point. size: (width, height) in user units."""
    drawn = [one for one in series if one.points]
    if not drawn:
        return Markup()
    xs = _scale([px for one in drawn for px, _ in one.points], x, LEFT, size[0] - RIGHT)
    ys = _scale([py for one in drawn for _, py in one.points], y, size[1] - BOTTOM, TOP)
    parts = [_grid(xs, ys, x, y, size)]
    # Faint lines first; among equals the order of the roles, so that the imitating student is on top.
    parts += [_line(one, xs, ys) for one in sorted(drawn, key=lambda one: not one.faint)]
    label = Markup("{} over {}").format(y.title, x.title)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        *size, label, Markup("").join(parts)
    )


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values, about five, inside the range."""
        step = nice_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _scale(values: Sequence[float], axis: Axis, start: float, end: float) -> _Scale:
    low = min(values) if axis.low is None else axis.low
    high = max(values) if axis.high is None else axis.high
    if high <= low:
        high = low + 1
    if axis.high is None:
        step = nice_step((high - low) / 5)
        high = math.ceil(high / step - 1e-9) * step
    return _Scale(low, high, start, end)


def nice_step(rough: float) -> float:
    """Round a step up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _grid(xs: _Scale, ys: _Scale, x: Axis, y: Axis, size: tuple[int, int]) -> Markup:
    width, height = size
    parts = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(LEFT, width - RIGHT, ys(t), ys(t))
        + Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end" dy=".32em">{}</text>').format(
            LEFT - 7, ys(t), _text(t, y)
        )
        for t in ys.ticks()
    ]
    parts += [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            xs(t), height - BOTTOM + 16, _text(t, x)
        )
        for t in xs.ticks()
    ]
    base = Markup('<line class="base" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        LEFT, width - RIGHT, height - BOTTOM, height - BOTTOM
    )
    title = Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>').format(
        width - RIGHT, height - 4, x.title
    )
    return Markup("").join([*parts, base, title])


def _text(value: float, axis: Axis) -> str:
    return f"{value * 100:g}" if axis.percent else f"{value:.6g}"


def _line(series: Series, xs: _Scale, ys: _Scale) -> Markup:
    places = [(xs(px), ys(min(max(py, ys.low), ys.high))) for px, py in series.points]
    path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in places)
    marks = Markup("")
    if series.marks:
        shape = Markup(ROLES[series.role].mark)  # noqa: S704 - our own constant
        marks = Markup("").join(
            Markup('<g class="mark" transform="translate({:.1f} {:.1f}) scale(.8)">{}</g>').format(px, py, shape)
            for px, py in places
        )
    return Markup('<g class="line {}{}"><title>{}</title><path d="{}"/>{}</g>').format(
        series.role, " faint" if series.faint else "", series.label, path, marks
    )
