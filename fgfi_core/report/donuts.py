"""Errors of one role as a ring of its kinds; its area is their number, so that rings beside each other compare."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from fgfi_core.report.errors import ErrorBar

# Units of the drawing. All rings are drawn in a square of this side, so that their middles are level.
SIDE, OUTER, HOLE = 120.0, 56.0, 0.56
# A ring of next to no errors still has to be seen and have its number in it.
LEAST = 0.45


def donuts(bars: Sequence[ErrorBar]) -> list[tuple[ErrorBar, Markup]]:
    """Each role with its ring."""
    most = max([bar.errors for bar in bars], default=0)
    return [(bar, donut(bar, most)) for bar in bars]


def donut(bar: ErrorBar, most: int) -> Markup:
    """The ring of a role; most: errors of the role that has most, whose ring is the largest."""
    outer = OUTER * max(LEAST, math.sqrt(bar.errors / most)) if most else OUTER * LEAST
    middle, width = outer * (1 + HOLE) / 2, outer * (1 - HOLE)
    round_ = 2 * math.pi * middle
    parts, begun = [], 0.0
    for segment in bar.segments:
        share = segment.count / bar.errors
        # A dash as long as the share, the rest a gap, turned to where the one before ended.
        parts.append(
            Markup(
                '<circle class="arc {kind}" r="{r:.2f}" stroke-width="{width:.2f}" '
                'stroke-dasharray="{on:.3f} {off:.3f}" transform="rotate({turn:.3f})">'
                "<title>{kind}: {count} ({share:.0%})</title></circle>"
            ).format(
                kind=segment.kind,
                r=middle,
                width=width,
                on=share * round_,
                off=(1 - share) * round_,
                turn=360 * begun - 90,
                count=segment.count,
                share=share,
            )
        )
        begun += share
    if not parts:
        parts.append(Markup('<circle class="arc none" r="{:.2f}" stroke-width="1.5"/>').format(middle))
    spoken = ", ".join(f"{segment.count} {segment.kind}" for segment in bar.segments) or "none"
    return Markup(
        '<svg class="donut" viewBox="{0:.0f} {0:.0f} {1:.0f} {1:.0f}" role="img" '
        'aria-label="{2}\'s errors by kind: {3}">{4}<text text-anchor="middle" y="5">{5}</text></svg>'
    ).format(-SIDE / 2, SIDE, bar.identity.title, spoken, Markup("").join(parts), bar.errors)
