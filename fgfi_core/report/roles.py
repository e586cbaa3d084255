"""Teacher, plain, imitated: one order, colour, dash and mark everywhere, so that a legend is read once.

The colours differ in lightness as well as hue, for readers who tell hues apart badly; they are the dashboard's.
"""

from dataclasses import dataclass

from fgfi_core.results import Role


@dataclass(frozen=True)
class Identity:
    """How a role looks. colour: RGB for pictures, where the style sheet does not reach. mark: SVG around (0, 0)."""

    role: Role
    title: str
    colour: tuple[int, int, int]
    mark: str


ROLES: dict[Role, Identity] = {
    "teacher": Identity("teacher", "Teacher", (0xA7, 0xB8, 0xCB), '<rect x="-3.6" y="-3.6" width="7.2" height="7.2"/>'),
    "plain": Identity("plain", "Plain student", (0xE8, 0xA7, 0x3A), '<circle r="4.1"/>'),
    "imitated": Identity("imitated", "Imitating student", (0x2F, 0xC9, 0xB5), '<path d="M0-4.8 4.8 0 0 4.8-4.8 0Z"/>'),
}
GROUND_TRUTH = (0xFF, 0xFF, 0xFF)
