"""What a spec may say of its schedule, splits and pre-flight."""

from typing import Any

import pytest
from pydantic import ValidationError

from fgfi_core.spec import JobSpec

FIELDS = {
    "name": "tiny",
    "dataset": {"train": "train", "val": "val"},
    "teacher": {"detector": "ssd-shufflenetv2-0.5x"},
    "student": {"detector": "ssd-shufflenetv2-0.25x"},
}


def spec(**changes: Any) -> JobSpec:
    return JobSpec.model_validate({**FIELDS, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schedule": {"batch_size": 8, "micro_batch": 16}}, "micro_batch is 16, more than batch_size 8"),
        ({"preflight": {"teacher_floor": 2}}, "teacher_floor"),
        ({"preflight": {"floor": 0.1}}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        spec(**changes)


def test_a_micro_batch_may_be_named_while_the_batch_is_left_open() -> None:
    assert spec(schedule={"micro_batch": 4}).schedule.micro_batch == 4


def test_coco_and_kitti_can_be_asked_for() -> None:
    assert spec(evaluation=["voc", "coco", "kitti"]).evaluation == ("voc", "coco", "kitti")
