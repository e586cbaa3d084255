from collections.abc import Callable
from pathlib import Path

import pytest

from fgfi_core.preflight import estimate
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_the_seconds_of_each_stage_add_up(spec: Spec, images: Path, subject: MakeSubject) -> None:
    (verdict,) = estimate.check(subject(spec(schedule={"epochs": 30}), images))
    parts = [verdict.numbers[f"{stage}_seconds"] for stage in ("teacher", "baseline", "imitation")]
    assert min(parts) > 0
    assert verdict.numbers["total_seconds"] == pytest.approx(sum(parts))
    assert "will take about" in verdict.message


def test_a_job_of_few_steps_or_one_that_asks_for_none_is_not_timed(
    spec: Spec, images: Path, subject: MakeSubject
) -> None:
    assert not list(estimate.check(subject(spec(), images)))
    unasked = spec(schedule={"epochs": 30}, preflight={"estimate": False})
    assert not list(estimate.check(subject(unasked, images)))


def test_every_training_of_every_seed_counts(spec: Spec, images: Path, subject: MakeSubject) -> None:
    taken = spec(schedule={"epochs": 30}, method={"name": "none"})
    plain = estimate.total_steps(subject(taken, images).bench)
    assert plain == 2 * 2 * 30
    assert estimate.total_steps(subject(spec(schedule={"epochs": 30}, seeds=[0, 1]), images).bench) == 5 * 2 * 30


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (720, "12 min"), (12600, "3.5 h")])
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert estimate.duration(seconds) == text
