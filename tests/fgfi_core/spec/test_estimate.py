from typing import Any

import pytest

from fgfi_core.spec import JobSpec
from fgfi_core.spec.estimate import Estimate, Past, estimate
from fgfi_core.spec.workload import trainings

PIXELS = 320 * 240
PAIR = {"teacher": {"detector": "shuffledet-1x"}, "student": {"detector": "shuffledet-0.25x"}}
QUICK = Past({"teacher": 1e-7, "plain": 1e-7, "imitated": 1e-7}, around=10.0)
SLOW = Past({"teacher": 4e-7, "plain": 4e-7, "imitated": 4e-7}, around=10.0)


def spec(**changes: Any) -> JobSpec:
    return JobSpec.model_validate({"name": "n", "dataset": {}, **PAIR, "schedule": {"epochs": 10}, **changes})


def on_cpu(asked: JobSpec, *past: Past) -> Estimate:
    return estimate(asked, "cpu", 8, (80, 20), past)


def test_only_the_trainings_of_the_spec_are_counted() -> None:
    def roles(**changes: Any) -> list[tuple[str, int]]:
        return [(one.role, one.runs) for one in trainings(spec(**changes), 8, 80, 20)]

    assert roles(seeds=[0, 1]) == [("teacher", 1), ("plain", 2), ("imitated", 2)]
    assert roles(baseline=False) == [("teacher", 1), ("imitated", 1)]
    assert roles(method={"name": "none"}, baseline=False) == [("teacher", 1), ("plain", 1)]
    as_it_is = {"detector": "shuffledet-1x", "init": "file", "epochs": 0}
    assert roles(teacher=as_it_is) == [("plain", 1), ("imitated", 1)]


def test_steps_and_images_are_the_loops_own() -> None:
    teacher = next(iter(trainings(spec(), 8, 83, 20)))  # The last three images of an epoch make no batch.
    assert (teacher.steps, teacher.passes, teacher.measured) == (100, 800, 2 * 20)
    small = next(iter(trainings(spec(), 8, 3, 20)))
    assert (small.steps, small.passes) == (10, 30)


def test_past_jobs_are_scaled_by_images_and_their_pixels() -> None:
    found = on_cpu(spec(), QUICK)
    assert found.seconds["plain"] == pytest.approx(1e-7 * 800 * PIXELS)
    assert found.total == pytest.approx(3 * 1e-7 * 800 * PIXELS + 10)
    large_teacher = on_cpu(spec(teacher={"detector": "shuffledet-1x", "image_size": [640, 480]}), QUICK)
    assert large_teacher.seconds["teacher"] == pytest.approx(4 * found.seconds["teacher"])
    assert large_teacher.seconds["imitated"] == found.seconds["imitated"]


def test_three_past_jobs_are_surer_than_one_and_one_surer_than_none() -> None:
    by = {count: on_cpu(spec(), *[QUICK] * count) for count in (0, 1, 3)}
    assert [by[count].sure for count in by] == ["rough", "rough", "fair"]
    spread = [by[count].high / by[count].low for count in by]
    assert spread == sorted(spread, reverse=True)
    assert len(set(spread)) == 3


def test_past_jobs_far_apart_widen_the_range() -> None:
    alike, apart = on_cpu(spec(), QUICK, QUICK, QUICK, QUICK), on_cpu(spec(), QUICK, QUICK, SLOW, SLOW)
    assert apart.high / apart.low > alike.high / alike.low


def test_a_past_job_that_did_not_train_a_role_says_nothing_of_it() -> None:
    without = Past({"teacher": 1e-7, "plain": 1e-7}, around=10.0)
    assert on_cpu(spec(), without).basis == "catalogue"
    assert on_cpu(spec(method={"name": "none"}), without).basis == "past-jobs"
