"""The picture of the gap: roles as marks on one line of mAP, and the stretch that imitation won."""

from collections.abc import Mapping

from markupsafe import Markup

from fgfi_core.report.roles import ROLES
from fgfi_core.results import Role

# A gap below two points is drawn as wide as one of two, so that noise does not look like triumph.
LEAST_SPAN = 0.02
WIDTH, LEFT, RIGHT = 560, 40, 520
# About as long as a label is.
LABEL = 100


def gap_line(values: Mapping[Role, float | None], *, labels: bool = True) -> Markup:
    """Draw the marks of the roles that have a value; with labels, or as a slim line for a table's row."""
    known = {role: value for role in ROLES if (value := values.get(role)) is not None}
    if not known:
        return Markup()
    low, high = min(known.values()), max(known.values())
    missing = max(0.0, LEAST_SPAN - (high - low)) / 2
    low, high = low - missing, high + missing
    places = {role: LEFT + (value - low) / (high - low) * (RIGHT - LEFT) for role, value in known.items()}
    y, height = (32, 64) if labels else (12, 24)
    parts = [Markup('<line class="track" x1="12" x2="{}" y1="{}" y2="{}"/>').format(WIDTH - 12, y, y)]
    if {"plain", "imitated"} <= places.keys():
        won = Markup('<line class="won{}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>')
        lost = " lost" if places["imitated"] < places["plain"] else ""
        parts.append(won.format(lost, places["plain"], places["imitated"], y, y))
    for role, x in places.items():
        parts.append(_mark(role, x, y, known[role], _anchor(role, places) if labels else None))
    return Markup('<svg class="gap" viewBox="0 0 {} {}" role="img" aria-label="mAP of the roles">{}</svg>').format(
        WIDTH, height, Markup("").join(parts)
    )


def _anchor(role: Role, places: Mapping[Role, float]) -> str:
    """Which end of its label stands at the mark: teacher's and plain student's share a line and may not meet."""
    others: dict[Role, Role] = {"teacher": "plain", "plain": "teacher"}
    other = others.get(role)
    if other is None or other not in places or abs(places[role] - places[other]) > LABEL:
        return "middle"
    left = (places[role], role) < (places[other], other)
    return "end" if left else "start"


def _mark(role: Role, x: float, y: int, value: float, anchor: str | None) -> Markup:
    shape = Markup(ROLES[role].mark)  # noqa: S704 - our own constant
    text = Markup("")
    if anchor:
        # The imitating student's label stands below, for it may be close to the plain one's.
        below = role == "imitated"
        text = Markup('<text y="{}" text-anchor="{}">{} {:.1f}</text>').format(
            24 if below else -14, anchor, ROLES[role].title.split()[0], 100 * value
        )
    return Markup('<g class="mark {}" transform="translate({:.1f} {})"><title>{} {:.1f} %</title>{}{}</g>').format(
        role, x, y, ROLES[role].title, 100 * value, Markup('<g transform="scale(1.5)">{}</g>').format(shape), text
    )
