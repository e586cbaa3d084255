"""Turning views into HTML: one Jinja environment, everything escaped, numbers and times written in one way."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.dashboard.navigation import SECTIONS

# What a person reads as "none" and as "minus"; the hyphen of the keyboard is too short for both.
NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"


def duration(seconds: float | None) -> str:
    """`8 s`, `3 min 20 s`, `2 h 05 min`; empty for nothing."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def age(time: datetime, now: datetime | None = None) -> str:
    """How long ago, in the browser's own short words; the page keeps counting."""
    passed = max(timedelta(0), (now or datetime.now(UTC)) - time).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if passed >= size:
            return f"{int(passed // size)} {unit} ago"
    return "just now"


def size(count: float) -> str:
    """Bytes with three digits: `412 B`, `1.84 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            digits = 0 if unit == "B" or value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:.{digits}f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(number: float) -> str:
    """A large number with three digits: `47.4 k`, `1.6 M`, `5.24 G`."""
    value, units = float(number), ("", " k", " M", " G", " T")
    for unit in units:
        if value < 999.5 or unit == units[-1]:
            break
        value /= 1000
    return f"{value:.3g}{unit}" if unit else f"{number:g}"


def points(fraction: float | None, digits: int = 1) -> str:
    """An accuracy in percent points, without the sign: 0.652 -> `65.2`; a dash for none."""
    return NONE if fraction is None or not math.isfinite(fraction) else f"{100 * fraction:.{digits}f}"


def signed(fraction: float | None) -> str:
    """A difference of accuracies with its sign: `+3.1`; `0.0` has none."""
    if fraction is None or not math.isfinite(fraction):
        return ""
    written = f"{100 * fraction:+.1f}"
    return "0.0" if float(written) == 0 else written.replace("-", MINUS)


def direction(fraction: float) -> str:
    """`up` or `down`, for the ink of a difference; neither for what is written as `0.0`."""
    written = signed(fraction)
    return {"+": "up", MINUS: "down"}.get(written[:1], "")


def percent(fraction: float) -> str:
    """A share: `42 %`."""
    return f"{100 * fraction:.0f} %".replace("-", MINUS)


def _environment() -> Environment:
    # Autoescape for every template, whatever its name: job, data set and class names are the users' own.
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(SECTIONS=SECTIONS)
    environment.filters.update(duration=duration, age=age, filesize=size, count=count, points=points)
    environment.filters.update(signed=signed, direction=direction, percent=percent)
    return environment


_templates = _environment()


def page(name: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any) -> HTMLResponse:
    """Render a template. Pages show live data and belong to one visitor: nothing stores them."""
    body = _templates.get_template(name).render(**values)
    return HTMLResponse(body, status, headers={"cache-control": "no-store", **(headers or {})})
