from collections.abc import Callable
from pathlib import Path

import pytest

from fgfi_core.preflight import teacher
from fgfi_core.preflight.check import Subject
from fgfi_core.results import Score
from fgfi_core.spec import JobSpec

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def score(cell: float, dot: float) -> Score:
    return Score(map50=(cell + dot) / 2, map50_11=0.0, ap50={"cell": cell, "dot": dot})


def test_a_teacher_under_the_floor_is_refused_with_its_number(spec: Spec, images: Path, subject: MakeSubject) -> None:
    job = spec(schedule={"epochs": 50}, preflight={"teacher_floor": 0.2})
    (verdict,) = teacher.check(subject(job, images, score=score(0.1, 0.1)))
    assert verdict.severity == "refused"
    assert "mAP on val is 0.100, below the floor of 0.2 (preflight.teacher_floor)" in verdict.message
    assert "teacher.epochs" in verdict.hint
    assert "preflight.force" in verdict.hint
    assert verdict.judgement


def test_in_a_trial_of_few_steps_it_is_a_warning(spec: Spec, images: Path, subject: MakeSubject) -> None:
    (verdict,) = teacher.check(subject(spec(schedule={"epochs": 2}), images, score=score(0.01, 0.01)))
    assert verdict.severity == "warning"
    assert "The students train 4 steps only" in verdict.message


@pytest.mark.parametrize("floor", [0.0, 0.2])
def test_a_teacher_on_or_over_the_floor_passes(spec: Spec, images: Path, subject: MakeSubject, floor: float) -> None:
    job = spec(schedule={"epochs": 50}, preflight={"teacher_floor": floor})
    (verdict,) = teacher.check(subject(job, images, score=score(0.3, 0.1)))
    assert verdict.severity == "ok"
    assert verdict.numbers["teacher_map50"] == pytest.approx(0.2)


def test_a_class_it_never_finds_is_warned_of(spec: Spec, images: Path, subject: MakeSubject) -> None:
    _, verdict = teacher.check(subject(spec(schedule={"epochs": 50}), images, score=score(0.6, 0.0)))
    assert verdict.severity == "warning"
    assert "finds nothing of dot" in verdict.message
