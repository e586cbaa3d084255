"""The colours of the visual system can be read in light and in dark (WCAG 2.2, AA)."""

import re
from itertools import product

import pytest

from api.dashboard.render import STATIC

TOKENS = (STATIC / "css" / "tokens.css").read_text()
PAIRS: dict[str, str] = dict(
    re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", TOKENS),
)
GROUNDS = ("paper", "surface", "sunken")
INKS = (
    "ink",
    "quiet",
    "accent",
    "teacher",
    "plain",
    "imitated",
    "good",
    "bad",
    "warn",
    *(f"job-{n}" for n in range(1, 6)),
)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colour(name: str, theme: int) -> str:
    return PAIRS[name].split(", ")[theme]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_ink_can_be_read_on_every_ground(theme: int) -> None:
    weak = [
        (ink, ground, round(found, 2))
        for ink, ground in product(INKS, GROUNDS)
        if (found := contrast(colour(ink, theme), colour(ground, theme))) < 4.5
    ]
    assert weak == []


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_what_stands_on_a_filled_button_can_be_read(theme: int) -> None:
    pairs = [("accent-ink", "accent"), ("surface", "bad"), ("paper", "ink"), ("surface", "warn")]
    assert all(contrast(colour(ink, theme), colour(ground, theme)) >= 4.5 for ink, ground in pairs)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_edge_of_a_control_can_be_seen(theme: int) -> None:
    assert all(contrast(colour("edge", theme), colour(ground, theme)) >= 3 for ground in GROUNDS)


def test_only_the_tokens_name_a_colour_or_a_font() -> None:
    named = re.compile(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsl|font-family: (?!var)", re.IGNORECASE)
    for sheet in sorted((STATIC / "css").glob("*.css")):
        if sheet.name != "tokens.css":
            assert named.findall(sheet.read_text()) == [], sheet.name
