"""How the imitating student does at the same point of its training as the plain one did: fair before either is done."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.dashboard.views.numbers import HEADLINE
from store.metrics import Point, Series


@dataclass(frozen=True)
class Pace:
    """Imitated minus plain, as a fraction, at the newest epoch both were evaluated at; the mean over seeds."""

    epoch: float
    gain: float


def pace(series: Sequence[Series]) -> Pace | None:
    """Compare the newest common evaluation of each seed; None while there is none."""
    plain = {one.seed: _by_step(one) for one in series if _is(one, "baseline")}
    common = [
        (point.epoch, point.value - plain[one.seed][point.step].value)
        for one in series
        if _is(one, "imitation") and one.seed in plain
        for point in [_newest(_by_step(one), plain[one.seed])]
        if point is not None
    ]
    if not common:
        return None
    return Pace(max(epoch for epoch, _ in common), sum(gain for _, gain in common) / len(common))


def _is(series: Series, stage: str) -> bool:
    return series.name == HEADLINE and series.stage == stage


def _by_step(series: Series) -> dict[int, Point]:
    return {point.step: point for point in series.points if math.isfinite(point.value)}


def _newest(imitated: Mapping[int, Point], plain: Mapping[int, Point]) -> Point | None:
    steps = imitated.keys() & plain.keys()
    return imitated[max(steps)] if steps else None
