"""Models: the list, and what the check of one found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.pages import Page
from store.tables import Model

# A page is for reading; the API's report has all that was listed.
LISTED = 100


@dataclass(frozen=True)
class ModelList:
    """A page of models, newest first."""

    rows: Sequence[Model]
    newest: str | None
    older: str | None


@dataclass(frozen=True)
class Mismatch:
    """One way in which tensors differ from the detector's: the first of them in words, and how many there are."""

    title: str
    hint: str
    lines: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Inspection:
    """What the weights are, and how they differ from what was declared."""

    tensors: int
    parameters: int
    differences: int
    mismatches: tuple[Mismatch, ...]


def model_list(page: Page[Model], cursor: str) -> ModelList:
    """Lay a page of rows out."""
    older = f"/models?cursor={page.next_cursor}" if page.next_cursor else None
    return ModelList(page.rows, "/models" if cursor else None, older)


def inspection(report: Mapping[str, Any] | None) -> Inspection | None:
    """Lay a stored report out; None before the check is done."""
    if not report:
        return None
    shapes = [
        f"{one['name']}: is {_shape(one['found'])}, should be {_shape(one['expected'])}"
        for one in report.get("wrong_shape", ())
    ]
    kinds = (
        ("Missing", "The detector has them, the file does not.", report.get("missing", ())),
        ("Of another shape", "Mostly another number of classes, or another width of the detector.", shapes),
        ("Unexpected", "The file has them, the detector does not.", report.get("unexpected", ())),
        ("Not finite", "With an infinity or no number among their values.", report.get("not_finite", ())),
    )
    return Inspection(
        tensors=report.get("tensors", 0),
        parameters=report.get("parameters", 0),
        differences=report.get("differences", 0),
        mismatches=tuple(
            Mismatch(title, hint, tuple(lines[:LISTED]), len(lines)) for title, hint, lines in kinds if lines
        ),
    )


def _shape(sides: Sequence[int]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(map(str, sides)) or "a single value"
