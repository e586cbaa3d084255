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
        (
            {
                "teacher": {"detector": "ssd-shufflenetv2-0.5x", "image_size": [640, 640]},
                "schedule": {"resize": "fit", "image_size": [320, 240]},
            },
            r"teacher\.image_size must have the shape of schedule\.image_size",
        ),
        ({"schedule": {"resize": "crop"}}, "'auto', 'stretch' or 'fit'"),
        ({"schedule": {"checkpoint_steps": 0}}, r"schedule\.checkpoint_steps\n.*greater than or equal to 1"),
        ({"preflight": {"teacher_floor": 2}}, "teacher_floor"),
        ({"preflight": {"floor": 0.1}}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        spec(**changes)


def test_a_micro_batch_may_be_named_while_the_batch_is_left_open() -> None:
    assert spec(schedule={"micro_batch": 4}).schedule.micro_batch == 4


def test_checkpoints_are_left_to_time_unless_steps_are_named_too() -> None:
    assert (spec().schedule.checkpoint_seconds, spec().schedule.checkpoint_steps) == (60.0, None)
    both = spec(schedule={"checkpoint_seconds": 600, "checkpoint_steps": 200}).schedule
    assert (both.checkpoint_seconds, both.checkpoint_steps) == (600.0, 200)


def test_coco_and_kitti_can_be_asked_for() -> None:
    assert spec(evaluation=["voc", "coco", "kitti"]).evaluation == ("voc", "coco", "kitti")
