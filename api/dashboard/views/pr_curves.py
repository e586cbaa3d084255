"""Curves of precision over recall, for the browser to draw: one class of the runs that the page shows."""

from typing import TypedDict

from api.dashboard.views.measured import Measured
from api.scores import ROLES, Role


class RoleCurve(TypedDict):
    """Precision and score at each recall. threshold: the score from which on the other numbers of the page count."""

    role: Role
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    scores: tuple[float, ...]
    threshold: float
    ap50: float | None


def pr_curves(measured: Measured, name: str) -> list[RoleCurve]:
    """Of each role; empty for a class that was not measured."""
    runs = measured.shown()
    found: list[RoleCurve] = []
    for role in ROLES:
        one = runs[role].evaluation.classes.get(name) if role in runs else None
        if one is not None:
            found.append(
                RoleCurve(
                    role=role,
                    precision=one.curve.precision,
                    recall=one.curve.recall,
                    scores=one.curve.scores,
                    threshold=one.threshold,
                    ap50=one.ap50,
                )
            )
    return found
