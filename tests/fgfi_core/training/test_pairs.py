"""Teachers and students with sides of their own: input size, first weights, levels."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

import fgfi_core
from fgfi_core import events
from fgfi_core.detectors import create
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.export import safetensors
from fgfi_core.spec import JobSpec
from fgfi_core.training.resolve import Weights

Spec = Callable[..., JobSpec]
TEACHER = "ssd-shufflenetv2-0.5x"


def log_codes(seen: list[events.Event]) -> dict[str, str]:
    return {event.code: event.message for event in seen if isinstance(event, events.Log)}


def test_a_teacher_sees_its_own_input_size(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(teacher={"detector": TEACHER, "image_size": [96, 96]}, exports=["safetensors"])
    seen: list[events.Event] = []
    result = fgfi_core.run(job, images, tmp_path / "out", seen.append)
    assert [t.role for t in result.trainings] == ["teacher", "plain", "imitated"]
    (resolved,) = [event.resolved for event in seen if isinstance(event, events.SpecResolved)]
    # The same boxes, and so the same shapes, on an input one and a half times as large.
    teacher, student = (torch.tensor(resolved["anchor_shapes"][side]) for side in ("teacher", "student"))
    torch.testing.assert_close(teacher, 1.5 * student, atol=0.02, rtol=0)


def test_a_trained_teacher_comes_as_a_file_and_is_not_trained_again(spec: Spec, images: Path, tmp_path: Path) -> None:
    first = fgfi_core.run(
        spec(student={"detector": TEACHER}, exports=["safetensors"]), images, tmp_path / "first", lambda _: None
    )
    weights: Weights = {"teacher": tmp_path / "first" / "exports" / safetensors.WEIGHTS}
    job = spec(teacher={"detector": TEACHER, "init": "file", "epochs": 0}, exports=["safetensors"])
    again = fgfi_core.run(job, images, tmp_path / "again", lambda _: None, weights=weights)
    assert again.trainings[0].steps == 0
    assert again.trainings[0].score == first.trainings[-1].score


def test_a_student_begins_with_a_slice_of_its_teacher(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(student={"detector": "ssd-shufflenetv2-0.25x", "init": "teacher-slice"}, exports=["safetensors"])
    seen: list[events.Event] = []
    fgfi_core.run(job, images, tmp_path / "out", seen.append)
    assert "cut out of the teacher's" in log_codes(seen)["initialised"]


def test_a_missing_file_of_weights_is_asked_for(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(teacher={"detector": TEACHER, "init": "file"})
    with pytest.raises(BadSpec, match=r"teacher.init is 'file', but no file was given.*--teacher-weights"):
        fgfi_core.run(job, images, tmp_path / "out", lambda _: None)


def test_a_students_file_that_does_not_fit_is_refused_before_the_teacher_is_trained(
    spec: Spec, images: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    safetensors.write(create("ssd-shufflenetv2-1x", 2, (64, 64)), ["cell", "dot"], tmp_path)
    job = spec(student={"detector": "ssd-shufflenetv2-0.25x", "init": "file"})
    seen: list[events.Event] = []
    with pytest.raises(BadData, match=r"does not fit 'ssd-shufflenetv2-0.25x'"):
        fgfi_core.run(job, images, tmp_path / "out", seen.append, weights={"student": tmp_path / safetensors.WEIGHTS})
    assert {event.stage for event in seen if isinstance(event, events.StageStarted)} == {"preflight"}


def test_a_file_nobody_asked_for_is_refused(spec: Spec, images: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"a file was given for the student, but student.init is 'random'"):
        fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None, weights={"student": images / "any"})


def test_a_backbone_begins_with_imagenet_weights(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(teacher={"detector": "ssd-efficientnet-lite0", "init": "imagenet"}, exports=["safetensors"])
    seen: list[events.Event] = []
    fgfi_core.run(job, images, tmp_path / "out", seen.append)
    assert "ssd-efficientnet-lite0 begins with backbone with ImageNet weights" in log_codes(seen)["initialised"]


def test_a_pyramid_of_two_stages_teaches_a_single_map(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(teacher={"detector": "faster-rcnn-mobilenet-v3-320-fpn"}, exports=["safetensors"])
    seen: list[events.Event] = []
    result = fgfi_core.run(job, images, tmp_path / "out", seen.append)
    assert result.trainings[-1].imitation_weights["imitation"] > 0
    assert "by stride: 32, 64" in log_codes(seen)["pairing"]
    losses = [
        e.values["loss/imitation"] for e in seen if isinstance(e, events.Metrics) and "loss/imitation" in e.values
    ]
    assert min(losses) > 0


def test_soft_labels_of_unlike_class_outputs_are_refused_at_once() -> None:
    with pytest.raises(ValidationError, match=r"regions-softmax.*anchors-softmax.*different kinds"):
        JobSpec.model_validate(
            {
                "name": "unlike",
                "dataset": {"train": "a", "val": "b"},
                "teacher": {"detector": "faster-rcnn-resnet50-fpn"},
                "student": {"detector": "ssd-shufflenetv2-0.25x"},
                "method": {"name": "soft-label"},
            }
        )


def test_a_batch_too_small_for_the_norms_of_a_one_cell_map_is_named(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(
        teacher={"detector": "ssdlite320-mobilenet-v3"}, schedule={"epochs": 1, "batch_size": 1, "image_size": [64, 64]}
    )
    with pytest.raises(BadSpec, match=r"'ssdlite320-mobilenet-v3' has a map of one cell.*batch_size to 2 or more"):
        fgfi_core.run(job, images, tmp_path / "out", lambda _: None)


@pytest.mark.parametrize(
    ("teacher", "student", "says"),
    [
        ({"epochs": 0}, {}, r"only a teacher with a model, or with init 'file', is trained"),
        ({"init": "imagenet"}, {}, "no ImageNet weights for 'ssd-shufflenetv2-0.5x'"),
        ({}, {"detector": "shuffledet-0.25x", "init": "teacher-slice"}, "both must be of one family"),
    ],
)
def test_what_cannot_begin_so_is_refused(
    spec: Spec, teacher: dict[str, str], student: dict[str, str], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        spec(teacher={"detector": TEACHER, **teacher}, student={"detector": "ssd-shufflenetv2-0.25x", **student})
