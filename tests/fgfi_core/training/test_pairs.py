"""Teachers and students with sides of their own: input size, first weights, levels."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import fgfi_core
from fgfi_core import events
from fgfi_core.errors import BadSpec
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


def test_a_file_nobody_asked_for_is_refused(spec: Spec, images: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"a file was given for the student, but student.init is 'random'"):
        fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None, weights={"student": images / "any"})
