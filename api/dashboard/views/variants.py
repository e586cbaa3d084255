"""Variants as a person writes them, one a line: `method.threshold=0.3, schedule.epochs=60`; a label may go before."""

from typing import Any

from api import spec_body
from api.problems import Problem
from api.schemas.groups import MOST_ARMS, VariantIn

MOST_LINE = 400
MOST_LABEL = 100
# A line that stands for the base as it is.
BASE = "base"


class VariantMistake(Exception):
    """A line that says no variant; the message names it and what to write."""


def read_variants(text: str) -> list[VariantIn]:
    """Read the lines; empty ones are passed over. Raises VariantMistake."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise VariantMistake("Write at least one variant, such as method.threshold=0.3.")
    if len(lines) > MOST_ARMS:
        raise VariantMistake(f"These are {len(lines)} variants; a group has at most {MOST_ARMS}.")
    return [_variant(number, line) for number, line in lines]


def _variant(number: int, line: str) -> VariantIn:
    if len(line) > MOST_LINE:
        raise VariantMistake(f"Line {number} has more than {MOST_LINE} characters.")
    label, changes = _label(line)
    if label is not None and not 1 <= len(label) <= MOST_LABEL:
        raise VariantMistake(f"Line {number}: a label has 1 to {MOST_LABEL} characters.")
    if changes == BASE:
        return VariantIn(label=label or BASE, changes={})
    patch: dict[str, Any] = {}
    for part in _parts(changes):
        path, equals, value = part.partition("=")
        names = [name.strip() for name in path.split(".")]
        if not equals or not all(names):
            raise VariantMistake(f"Line {number}: '{part.strip()}' is no change: write field=value, or base alone.")
        _put(patch, names, _value(number, value), number)
    return VariantIn(label=label, changes=patch)


def _label(line: str) -> tuple[str | None, str]:
    """What stands before a colon is the label, where the colon comes before the first value."""
    before, colon, after = line.partition(":")
    return (before.strip(), after.strip()) if colon and "=" not in before else (None, line)


def _parts(changes: str) -> list[str]:
    """Changes between commas, but not within brackets."""
    parts, depth, current = [], 0, ""
    for character in changes:
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]


def _value(number: int, text: str) -> Any:
    try:
        return spec_body.parse("application/yaml", text.strip().encode())
    except Problem as problem:
        raise VariantMistake(f"Line {number}: '{text.strip()}' is no value.") from problem


def _put(patch: dict[str, Any], names: list[str], value: Any, number: int) -> None:
    for name in names[:-1]:
        inner = patch.setdefault(name, {})
        if not isinstance(inner, dict):
            raise VariantMistake(f"Line {number}: {name} has a value already.")
        patch = inner
    patch[names[-1]] = value
